'use strict';
// A worker on gearmanode: gearmanode-worker.js HOST PORT FUNCTION=BEHAVIOUR[=MILLISECONDS]...
// What it prints and reads: ../doc.go.
const gearmanode = require('./quiet-gearmanode');
const { say, announce, reversed, goes, specs } = require('./lines');

const [host, port, ...words] = process.argv.slice(2);
const go = goes();

// The library turns every result into a string, as UTF-8.
const finish = (job) => job.workComplete(reversed(job.payload).toString());

const behaviours = {
  reverse: finish,
  hold: (job) => go().then(() => finish(job)),
  progress: (job) => {
    job.reportStatus(3, 10);
    go().then(() => finish(job));
  },
  data: (job) => {
    job.sendWorkData('one');
    job.sendWorkData('two');
    job.workComplete('done');
  },
  warning: (job) => {
    job.reportWarning('careful');
    job.workComplete('done');
  },
  fail: (job) => job.reportError(),
  exception: (job) => job.reportException('boom'),
};

const worker = gearmanode.worker({ host, port: Number(port) });
worker.on('socketDisconnect', () => process.exit(1)); // it does not connect again
worker.on('jobServerError', (uid, code, message) => say('error', code, message));
worker.on('error', (err) => say('error', err.message));
worker.setWorkerId('gearmanode');
for (const { name, behaviour, options } of specs(words)) {
  worker.addFunction(name, (job) => {
    announce(name, job.payload);
    behaviours[behaviour](job);
  }, options);
}
