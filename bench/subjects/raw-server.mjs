/** The limit: Socket.IO and `pg`, one INSERT and one `emit` to a room. */
import {createServer} from 'node:http';
import pg from 'pg';
import {Server} from 'socket.io';
import {CONNECTIONS, serveLive, TABLE} from './live-server.mjs';

serveLive(async connectionString => {
  const pool = new pg.Pool({connectionString, max: CONNECTIONS});
  await pool.query(TABLE);
  const httpServer = createServer();
  const io = new Server(httpServer, {serveClient: false, perMessageDeflate: false});
  io.on('connection', socket => {
    socket.on('join', (category, done) => {
      socket.join(category);
      done();
    });
  });
  await new Promise(resolve => httpServer.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${httpServer.address().port}`,
    async create({id, name, category, qty, price}) {
      const {rows} = await pool.query({
        name: 'insert',
        text: 'INSERT INTO product VALUES ($1, $2, $3, $4, $5) RETURNING *',
        values: [id, name, category, qty, price],
      });
      io.to(category).emit('created', rows[0]);
    },
  };
});
