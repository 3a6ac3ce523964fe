'use strict';

module.exports = {
  recursive: true,
  timeout: 20_000,
  // A test that leaves a socket, a pool or a server open must fail here, not hang an application.
  exit: false,
  require: ['./dist/__tests__/support/left-open.js'],
  forbidOnly: Boolean(process.env.CI),
};
