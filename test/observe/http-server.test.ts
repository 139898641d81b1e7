import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { CodedError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';
import { type Observed, type ObserveServer, serveObserved } from '../../src/observe/http-server.ts';
import { defaultListenAddress, parseListenAddress } from '../../src/observe/listen-address.ts';

const quiet: Observed = {
  readiness: () => [],
  groups: () => [{ leader: '0000:65:00.0', phase: 'WithHost' }],
  metrics: () =>
    Promise.resolve({ text: 'wholegroup_groups 1\n', contentType: 'text/plain; version=0.0.4' }),
};

async function withServer(
  observed: Observed,
  run: (base: string, server: ObserveServer) => Promise<void>,
): Promise<void> {
  const server = await serveObserved({ host: '127.0.0.1', port: 0 }, observed, silentLog);
  try {
    await run(`http://127.0.0.1:${server.address.port}`, server);
  } finally {
    await server.close();
  }
}

async function answer(url: string, init?: RequestInit): Promise<[number, string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

test('the three paths answer, a query is ignored, everything else is refused', async () => {
  await withServer(quiet, async (base) => {
    assert.deepEqual(await answer(`${base}/healthz`), [200, 'ok\n']);
    assert.deepEqual(await answer(`${base}/readyz?verbose`), [200, 'ok\n']);
    assert.deepEqual(await answer(`${base}/metrics`), [200, 'wholegroup_groups 1\n']);
    assert.deepEqual(await answer(`${base}/`), [
      404,
      'there are /healthz, /readyz, /metrics and /groups\n',
    ]);
    assert.deepEqual(await answer(`${base}/metrics/../healthz/x`), [
      404,
      'there are /healthz, /readyz, /metrics and /groups\n',
    ]);
    assert.deepEqual(await answer(`${base}/healthz`, { method: 'POST', body: 'x' }), [
      405,
      'only GET and HEAD are answered\n',
    ]);
    assert.deepEqual(await answer(`${base}/healthz`, { method: 'HEAD' }), [200, '']);
  });
});

test('not ready: 503 with one reason in a line, while the process is healthy', async () => {
  const reasons = ['the kubelet has not been registered with', '1 record file is in quarantine'];
  await withServer({ ...quiet, readiness: () => reasons }, async (base) => {
    assert.deepEqual(await answer(`${base}/readyz`), [503, `${reasons.join('\n')}\n`]);
    assert.deepEqual(await answer(`${base}/healthz`), [200, 'ok\n']);
  });
});

test('metrics carry the content type they were given', async () => {
  await withServer(quiet, async (base) => {
    const response = await fetch(`${base}/metrics`);
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4');
    await response.text();
  });
});

test('metrics or readiness that throw are a 500, and the server goes on', async () => {
  const broken: Observed = {
    groups: () => [],
    readiness: () => {
      throw new Error('no answer');
    },
    metrics: () => Promise.reject(new Error('no metrics')),
  };
  await withServer(broken, async (base) => {
    assert.deepEqual(await answer(`${base}/metrics`), [500, 'no metrics\n']);
    assert.deepEqual(await answer(`${base}/readyz`), [500, 'no answer\n']);
    assert.deepEqual(await answer(`${base}/healthz`), [200, 'ok\n']);
  });
});

test('an address that is taken throws WG_LISTEN_FAILED and names it', async () => {
  await withServer(quiet, async (_base, server) => {
    await assert.rejects(serveObserved(server.address, quiet, silentLog), (thrown) => {
      assert(thrown instanceof CodedError && thrown.code === 'WG_LISTEN_FAILED');
      assert.match(
        thrown.message,
        new RegExp(`127\\.0\\.0\\.1:${server.address.port} cannot be listened on: .*EADDRINUSE`),
      );
      return true;
    });
  });
});

test('close ends connections that are open', async () => {
  const server = await serveObserved({ host: '127.0.0.1', port: 0 }, quiet, silentLog);
  const socket = connect(server.address.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  await server.close();
  await closed;
});

test('rubbish and headers without end are answered with 400 or cut off, and the server goes on', async () => {
  await withServer(quiet, async (base, server) => {
    for (const text of [
      'rubbish\r\n\r\n',
      `GET /healthz HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      '\0\0\0\0',
    ]) {
      const socket = connect(server.address.port, '127.0.0.1');
      socket.on('error', () => undefined);
      let got = '';
      socket.setEncoding('latin1').on('data', (part: string) => (got += part));
      socket.write(text);
      await once(socket, 'close');
      assert.match(got, /^(HTTP\/1\.1 400 |$)/);
    }
    assert.deepEqual(await answer(`${base}/healthz`), [200, 'ok\n']);
  });
});

test('a client that says nothing is cut off after five seconds', { timeout: 20_000 }, async () => {
  await withServer(quiet, async (_base, server) => {
    const socket = connect(server.address.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const before = performance.now();
    socket.write('GET /healthz HT');
    socket.resume();
    await once(socket, 'close');
    const took = performance.now() - before;
    assert(took > 3000 && took < 12_000, `${took} ms`);
  });
});

test('addresses to listen on are parsed; a port alone or every address by accident is not', () => {
  const good = {
    '127.0.0.1:9643': '127.0.0.1',
    '[::1]:9643': '::1',
    'localhost:9643': 'localhost',
    '0.0.0.0:9643': '0.0.0.0',
  };
  for (const [text, host] of Object.entries(good)) {
    assert.deepEqual(parseListenAddress(text), { ok: true, value: { host, port: 9643 } });
  }
  for (const text of [
    '',
    ':9643',
    '9643',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:x',
    '127.0.0.1:70000',
    '::1:9643',
    '[127.0.0.1]:1',
    'example.com:1',
    '127.1:1',
  ]) {
    const parsed = parseListenAddress(text);
    assert.equal(parsed.ok, false, text);
    assert.match(
      parsed.ok ? '' : parsed.problem,
      /must be ADDRESS:PORT, for example 127\.0\.0\.1:9643 or \[::1\]:9643$/,
    );
  }
  assert.equal(defaultListenAddress.host, '127.0.0.1');
});

test('/groups tells every group as JSON', async () => {
  await withServer(quiet, async (base) => {
    const response = await fetch(`${base}/groups`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.deepEqual(await response.json(), [{ leader: '0000:65:00.0', phase: 'WithHost' }]);
  });
});
