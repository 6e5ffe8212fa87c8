'use strict';
// A client on abraxas: abraxas-client.js HOST PORT
// What it reads and prints: ../doc.go. The library always asks for exceptions.
const abraxas = require('abraxas');
const { say, hexLine, reversed, payloads, serve } = require('./lines');

const [host, port] = process.argv.slice(2);
const client = abraxas.Client.connect({ host, port: Number(port) });
client.on('connection-error', () => {}); // it connects again by itself

function optionsOf(priority, unique) {
  const options = {};
  if (priority !== 'normal') options.priority = priority;
  if (unique !== 'none') options.uniqueid = unique;
  return options;
}

function failure(err) {
  if (err.name === 'JobFail') say('fail');
  else if (err.name === 'JobException') hexLine('exception', err.message.split(': ').pop());
  else throw err;
}

function run(name, priority, unique, hex) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    const task = client.submitJob(name, optionsOf(priority, unique), Buffer.from(hex || '', 'hex'));
    task.on('created', () => say('created', task.jobid));
    task.on('status', (share) => say('status', Math.round(share * 100), 100));
    task.on('warn', (text) => hexLine('warning', text));
    task.on('data', (chunk) => chunks.push(chunk));
    task.on('end', () => resolve(hexLine('complete', Buffer.concat(chunks))));
    task.on('error', (err) => {
      try {
        resolve(failure(err));
      } catch (other) {
        reject(other);
      }
    });
  });
}

async function bg(name, priority, unique, hex) {
  const task = client.submitJobBg(name, optionsOf(priority, unique), Buffer.from(hex || '', 'hex'));
  say('created', String(await task));
}

function state(handle) {
  return new Promise((resolve, reject) => {
    client.getStatus(handle, (err, status) => {
      if (err) return reject(err);
      resolve(say('state', status.known, status.running, Math.round(status.complete * 100), 100));
    });
  });
}

async function many(name, count) {
  const right = await Promise.all(payloads(Number(count)).map(async (payload) => {
    const result = await client.submitJob(name, {}, Buffer.from(payload));
    return reversed(payload).equals(result);
  }));
  say('right', right.filter(Boolean).length);
}

async function ping(hex) {
  const echo = await client.echo({}, Buffer.from(hex, 'hex'));
  if (Buffer.from(hex, 'hex').equals(Buffer.from(echo))) say('pong');
}

serve({ run, bg, state, many, ping });
