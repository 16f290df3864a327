/* A hub that lies: passes everything to a real one and alters one byte of each message that it gives out. node liar.mjs */
import { createServer, request } from 'node:http';

/* Of messages in JSON the middle of the signed bytes; of frames some byte in the middle, which lies in a message if there are any. */
function alter(path, body) {
  if (/^\/guest\/(messages|events)/.test(path)) {
    return Buffer.from(body.toString('latin1').replace(/("wire":"[\w-]{60})(.)/g, (_, before, c) => before + (c === 'A' ? 'B' : 'A')), 'latin1');
  }
  if (path.startsWith('/guest/sync/') && body.length > 1000) {
    const lie = Buffer.from(body);
    lie[lie.length >> 1] ^= 1;
    return lie;
  }
  return body;
}

createServer((ask, answer) => {
  const { 'accept-encoding': _, ...headers } = ask.headers;
  const through = request({ host: '127.0.0.1', port: 8441, method: ask.method, path: ask.url, headers }, res => {
    const head = { ...res.headers };
    delete head['content-length'];
    answer.writeHead(res.statusCode, head);
    if (/event-stream/.test(head['content-type'])) {
      answer.flushHeaders();
      res.on('data', part => answer.write(alter(ask.url, part)));
      res.on('end', () => answer.end());
      return;
    }
    const parts = [];
    res.on('data', part => parts.push(part));
    res.on('end', () => answer.end(ask.method === 'GET' || ask.url.includes('sync') ? alter(ask.url, Buffer.concat(parts)) : Buffer.concat(parts)));
  });
  through.on('error', () => answer.destroy());
  answer.on('close', () => through.destroy());
  ask.pipe(through);
}).listen(8440, '192.168.49.1', () => console.log('listening'));
