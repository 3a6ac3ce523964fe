import WebSocket from 'ws';

/** A bare WebSocket, without what would cost a client more than the message itself. */
export function openSocket(url, protocols = []) {
  return new WebSocket(url, protocols, {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    handshakeTimeout: 10_000,
  });
}
