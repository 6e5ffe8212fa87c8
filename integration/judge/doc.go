// Package judge keeps books of what a server's peers were told, and holds the
// server to them: through kills, power cuts, full disks and bad networks.
//
// A [Book] is a log that peers write while they talk: what they asked, what was
// answered, what was not. [Client] and [Worker] are peers that do so by
// themselves, over any connection. After a fault the server is looked at
// ([Book.Look]), or its store ([ReadStore]), and [Book.Judge] says what does
// not balance. The invariants are
//
//   - I1 no loss: a background job whose JOB_CREATED was read is known until
//     its worker, or an operator, has ended it;
//   - I2 bounded repetition: a job is assigned again only when its worker's
//     connection, lease or server ended before the end of the job was taken;
//   - I3 no phantom: what comes was submitted, as it comes, and was not
//     refused; no handle stands for two jobs;
//   - I4 single completion: a job whose end was taken stays ended, and only the
//     word of who holds a job ends it;
//   - I5 integrity: the store is sound, and the counters are the true counts;
//   - I6 liveness: a submission reaches a worker and is completed, and the
//     process does not grow.
//
// What a worker knows of an end that it has said comes in three degrees. It is
// said when it was written. It is heard when a later request on the connection
// was answered: while this server lives, the job is gone. It is confirmed when
// a background job submitted behind it was acknowledged, since a server stores
// what it was told in that order: the job is gone for good.
//
// [Book.Until] cuts a log off at a moment, for who looks at a disk as it was
// then. Package judge/linear holds the history of every single job against a
// model of a job's life.
package judge
