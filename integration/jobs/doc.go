// Package jobs holds the server to what becomes of difficult jobs and of the
// words of difficult workers: jobs that kill every worker, workers that hang,
// late, foreign and repeated words, and a thousand clients that want one job
// while the server is killed (-kills of that: how often).
package jobs
