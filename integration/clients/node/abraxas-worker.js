'use strict';
// A worker on abraxas: abraxas-worker.js HOST PORT FUNCTION=BEHAVIOUR[=MILLISECONDS]...
// What it prints and reads: ../doc.go.
const abraxas = require('abraxas');
const { announce, reversed, goes, specs } = require('./lines');

const [host, port, ...words] = process.argv.slice(2);
const go = goes();

const behaviours = {
  reverse: (task) => reversed(task.payload),
  hold: (task) => go().then(() => reversed(task.payload)),
  progress: (task) => {
    task.status(0.3);
    return go().then(() => reversed(task.payload));
  },
  warning: (task) => {
    task.warn(Buffer.from('careful'));
    return Buffer.from('done');
  },
  exception: () => {
    throw Buffer.from('boom');
  },
};

const worker = abraxas.Client.connect({ host, port: Number(port) });
worker.on('connection-error', () => {}); // it connects again by itself
worker.setClientId('abraxas');
for (const { name, behaviour, options } of specs(words)) {
  worker.registerWorker(name, options, (task) => {
    task.payload = Buffer.from(task.payload); // an empty one arrives as an array
    announce(name, task.payload);
    return behaviours[behaviour](task);
  });
}
