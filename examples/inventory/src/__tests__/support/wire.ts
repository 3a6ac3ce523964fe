import {once} from 'node:events';
import {connect, createServer, type AddressInfo, type Server, type Socket} from 'node:net';

/** A wire to a server: cut, everything on it falls and nothing new gets through. */
export class Wire {
  private readonly ends = new Set<Socket>();
  private readonly server: Server;
  private isCut = false;

  /** @param target - address of the server, such as `http://127.0.0.1:3000` */
  constructor(target: string) {
    const {hostname: host, port} = new URL(target);
    this.server = createServer(near => {
      if (this.isCut) return near.destroy();
      const far = connect({host, port: Number(port)});
      near.pipe(far).pipe(near);
      for (const [end, other] of [[near, far], [far, near]]) {
        this.ends.add(end);
        end.on('error', () => undefined).on('close', () => {
          this.ends.delete(end);
          other.destroy();
        });
      }
    });
  }

  /** Opens the near end, and answers its address. */
  async open(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.isCut = true;
    for (const end of this.ends) end.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }
}
