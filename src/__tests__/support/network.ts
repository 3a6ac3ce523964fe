import {once} from 'node:events';
import {connect, createServer, type AddressInfo, type Server, type Socket} from 'node:net';

/** One connection through the network: the client's end and the server's. */
interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * A network between clients and a server, with the faults that networks have: cut connections, and
 * clients that have stopped reading.
 */
export class Network {
  private readonly links = new Set<Link>();
  private readonly listener: Server;

  private constructor(target: () => {readonly host: string; readonly port: number}) {
    this.listener = createServer(client => {
      const {host, port} = target();
      const server = connect(port, host);
      const link = {client, server};
      this.links.add(link);
      const end = () => {
        this.links.delete(link);
        client.destroy();
        server.destroy();
      };
      for (const socket of [client, server]) socket.on('error', end).on('close', end);
      client.pipe(server);
      server.pipe(client);
    });
  }

  static async before(
    target: () => {readonly host: string; readonly port: number},
  ): Promise<Network> {
    const network = new Network(target);
    network.listener.listen(0, '127.0.0.1');
    await once(network.listener, 'listening');
    return network;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** Cuts one connection, or all. */
  cut(choose: (count: number) => number): void {
    [...this.links][choose(this.links.size)]?.client.destroy();
  }

  cutAll(): void {
    for (const {client} of this.links) client.destroy();
  }

  /**
   * One client stops reading: what the server sends it is not taken until the answered function is
   * called.
   */
  stall(choose: (count: number) => number): () => void {
    const link = [...this.links][choose(this.links.size)];
    if (!link) return () => undefined;
    link.server.unpipe(link.client);
    link.server.pause();
    return () => void (link.server.destroyed || link.server.pipe(link.client));
  }

  async close(): Promise<void> {
    const closed = once(this.listener, 'close');
    this.listener.close();
    this.cutAll();
    await closed;
  }
}
