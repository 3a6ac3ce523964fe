'use strict';

module.exports = {
  recursive: true,
  timeout: 20_000,
  // A test that leaves a socket, a pool or a server open must hang here, not in an application.
  exit: false,
  forbidOnly: Boolean(process.env.CI),
};
