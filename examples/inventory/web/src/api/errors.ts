/** What a person is told, by the code that the server or the client answered. */
const sentences: Readonly<Record<string, string>> = {
  CONNECTION_LOST: 'There is no connection just now. Once it is back, look whether it was saved.',
  NOT_AUTHENTICATED: 'Please sign in first.',
  LOGIN_FAILED: 'The name or the password is wrong.',
  INVALID_CREDENTIALS: 'The name or the password is wrong.',
  ENTITY_NOT_FOUND: 'It is no longer there: somebody deleted it.',
  RESTORE_CONFLICT: 'It cannot be restored: another product has taken its place.',
  VERSION_CONFLICT: 'Somebody else changed it in the meantime.',
  LIMIT_EXCEEDED: 'That was too much at once. Wait a moment and try again.',
  FEED_UNAVAILABLE: 'The server cannot follow the database just now. It keeps trying.',
  DATABASE_UNAVAILABLE:
    'The server cannot reach its database just now. Look whether it was saved, then try again.',
  TIMEOUT: 'The server did not answer in time. Look whether it was saved, then try again.',
  OFFLINE: 'The server cannot be reached. Check the connection and try again.',
  INTERNAL_ERROR: 'The server ran into a problem. Try again; it has written down what happened.',
};

/** Says in a sentence what went wrong. */
export function explain(error: unknown): string {
  const {code, message} = error as {code?: string; message?: string};
  return (code && sentences[code]) || (message && asSentence(message)) || 'Something went wrong.';
}

function asSentence(message: string): string {
  const capital = message[0].toUpperCase() + message.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
