/**
 * What the samples of the documentation take for granted: an application, a client. A sample that
 * declares or imports the same name means its own.
 */
declare const app: import('@loopback/rest').RestApplication;
declare const live: import('loopback4-live-entities/client').LiveClient;
