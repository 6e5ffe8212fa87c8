'use strict';
// A client on gearmanode: gearmanode-client.js HOST PORT [exceptions]
// What it reads and prints: ../doc.go.
const { once } = require('node:events');
const gearmanode = require('./quiet-gearmanode');
const { say, hexLine, reversed, payloads, serve } = require('./lines');

const [host, port, exceptions] = process.argv.slice(2);
const client = gearmanode.client({ host, port: Number(port) });
const server = client.jobServers[0];
client.on('socketError', () => {});
client.on('error', () => {});
client.setMaxListeners(0);

function submit(background, name, priority, unique, hex) {
  const options = { background, priority: priority.toUpperCase() };
  if (unique !== 'none') options.unique = unique;
  return client.submitJob(name, Buffer.from(hex || '', 'hex'), options);
}

// outcome waits for the first of the events named, or for an ERROR packet,
// which the library reports on the client alone.
function outcome(job, events) {
  return new Promise((resolve, reject) => {
    const refused = (uid, code, message) => reject(new Error(`${code} ${message}`));
    client.once('jobServerError', refused);
    job.once('error', reject);
    for (const [event, tell] of Object.entries(events)) {
      job.once(event, (...words) => {
        client.removeListener('jobServerError', refused);
        resolve(tell(...words));
      });
    }
  });
}

async function run(...words) {
  const job = submit(false, ...words);
  job.on('created', () => say('created', job.handle));
  job.on('workData', (data) => hexLine('data', data));
  job.on('warning', (data) => hexLine('warning', data));
  job.on('status', (s) => say('status', s.percent_done_num, s.percent_done_den));
  await outcome(job, {
    complete: () => hexLine('complete', job.response),
    failed: () => say('fail'),
    exception: (text) => hexLine('exception', text),
  });
}

const submitted = new Map(); // handle to job: the library asks only about its own

async function bg(...words) {
  const job = submit(true, ...words);
  await outcome(job, { created: () => say('created', job.handle) });
  submitted.set(job.handle, job);
}

async function state(handle) {
  const job = submitted.get(handle);
  const answer = once(job, 'status');
  job.getStatus();
  const [s] = await answer;
  say('state', Number(s.known), Number(s.running), s.percent_done_num, s.percent_done_den);
}

async function many(name, count) {
  const right = await Promise.all(payloads(Number(count)).map((payload) => {
    const job = submit(false, name, 'normal', 'none', Buffer.from(payload).toString('hex'));
    return outcome(job, { complete: () => reversed(payload).equals(job.response), failed: () => false });
  }));
  say('right', right.filter(Boolean).length);
}

async function ping(hex) {
  const answer = once(server, 'echo');
  server.echo(Buffer.from(hex, 'hex').toString());
  const [echo] = await answer;
  if (Buffer.from(hex, 'hex').equals(Buffer.from(echo))) say('pong');
}

// The option belongs to the connection, which the library opens with the
// first request.
async function start() {
  if (exceptions) {
    const set = once(server, 'option');
    server.setOption('exceptions');
    await set;
  }
  await serve({ run, bg, state, many, ping });
}

start();
