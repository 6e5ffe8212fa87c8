// Package upgrade stops a server and starts it again, as an upgrade does, under
// connected workers in C, Perl, PHP, JavaScript and Go while clients submit.
// Every other time it is killed. Every background job that was acknowledged is
// run by its worker, and no other is. How often: -restarts.
//
// The workers are those of integration/clients; what they print is how it is
// known what they ran.
package upgrade
