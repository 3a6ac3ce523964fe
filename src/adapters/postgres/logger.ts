/** Where the adapter reports; `console` will do. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}
