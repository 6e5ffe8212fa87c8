'use strict';
// The line protocol of the client tests (see ../doc.go), as far as all Node
// programs need it.
const readline = require('readline');

const say = (...words) => process.stdout.write(words.join(' ') + '\n');
const hexLine = (event, data) => say(event, Buffer.from(data).toString('hex'));
const announce = (name, payload) => hexLine(`job ${name}`, payload.subarray(0, 32));
const reversed = (data) => Buffer.from(data).reverse();
const payloads = (count) => Array.from({ length: count }, (_, i) => `payload ${i}`);

// goes hands out one promise per "go" read from stdin, in order.
function goes() {
  const waiting = [];
  let early = 0;
  readline.createInterface({ input: process.stdin })
    .on('line', () => (waiting.length ? waiting.shift()() : early++))
    .on('close', () => process.exit(0));
  return () => new Promise((resolve) => (early > 0 ? (early--, resolve()) : waiting.push(resolve)));
}

// serve answers requests from stdin, one after the other, with the async
// functions given, by verb.
async function serve(verbs) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [verb, ...words] = line.split(' ');
    try {
      await verbs[verb](...words);
    } catch (err) {
      say('error', String(err.message).replace(/\s+/g, ' '));
    }
    say('end');
  }
  process.exit(0);
}

// specs takes FUNCTION=BEHAVIOUR[=MILLISECONDS] apart.
function specs(words) {
  return words.map((word) => {
    const [name, behaviour, timeout] = word.split('=');
    return { name, behaviour, options: timeout ? { timeout } : {} };
  });
}

module.exports = { say, hexLine, announce, reversed, payloads, goes, serve, specs };
