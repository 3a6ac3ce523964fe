/**
 * The version of the wire protocol. A client names it in its handshake; a server refuses one that
 * it does not speak with `PROTOCOL_UNSUPPORTED`. Any change of what travels raises it.
 */
export const PROTOCOL_VERSION = 2;

/** The oldest protocol version that this server still answers. */
export const PROTOCOL_FLOOR = 1;
