// Checks whether the process in this container answers on its port: exit code 0 or 1. Tries with and without TLS. It
// does not check the certificate, because no other program listens on the loopback address of the container.
import http from 'node:http';
import https from 'node:https';

const port = process.argv[2];
const answers = (client, scheme) =>
  new Promise((resolve) => {
    client
      .get(
        `${scheme}://127.0.0.1:${port}/healthz`,
        { rejectUnauthorized: false, timeout: 2_000 },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode === 200);
        },
      )
      .on('timeout', () => resolve(false))
      .on('error', () => resolve(false));
  });

process.exit((await answers(http, 'http')) || (await answers(https, 'https')) ? 0 : 1);
