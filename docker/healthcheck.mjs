// Whether the process in this container answers on its port: exit code 0 or 1. With TLS or without, whichever it has; the
// certificate is not checked, as nobody else listens on the container's own loopback.
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
