'use strict';
// gearmanode, with its logging off: without a transport each line of it would
// end up on stderr as a complaint of the logging library's.
const winston = require('winston');

winston.configure({ silent: true });
winston.loggers.options = { silent: true };

module.exports = require('gearmanode');
