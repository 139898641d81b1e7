// Certificates for the API server of a test, made by openssl: a CA, a serving certificate signed by it, and the key
// that service account tokens are signed with.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runs openssl in a folder. */
function openssl(folder: string, args: readonly string[]): void {
  const run = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
  if (run.error !== undefined) throw new Error('openssl is needed for certificates: install it');
  if (run.status !== 0) throw new Error(`openssl ${args[0]} failed: ${run.stderr}`);
}

function key(folder: string, file: string): void {
  openssl(folder, ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file]);
}

/** With the address of the service "kubernetes", where pods look for the server, and that of a cluster for its nodes. */
const servedNames =
  'subjectAltName=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1,IP:192.168.77.254';

/** A certificate for 127.0.0.1 and localhost in `NAME.crt`, its key in `NAME.key`, signed by the folder's CA. */
export function writeServingCertificate(folder: string, name: string): void {
  key(folder, `${name}.key`);
  writeFileSync(join(folder, `${name}.ext`), `${servedNames}\nextendedKeyUsage=serverAuth\n`);
  const request = `${name}.csr`;
  openssl(folder, ['req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', request]);
  openssl(folder, [
    ...['x509', '-req', '-in', request, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-days', '365', '-extfile', `${name}.ext`, '-out', `${name}.crt`],
  ]);
}

/** A client certificate in `NAME.crt`, its key in `NAME.key`, signed by the folder's CA, for a user of groups. */
export function writeClientCertificate(folder: string, name: string, subject: string): void {
  key(folder, `${name}.key`);
  writeFileSync(join(folder, `${name}.ext`), 'extendedKeyUsage=clientAuth\n');
  const request = `${name}.csr`;
  openssl(folder, ['req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', request]);
  openssl(folder, [
    ...['x509', '-req', '-in', request, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-days', '365', '-extfile', `${name}.ext`, '-out', `${name}.crt`],
  ]);
}

/** A new CA (`ca.crt`, `ca.key`) and a serving certificate of it (`server.crt`, `server.key`), over what is there. */
export function writeAuthority(folder: string): void {
  key(folder, 'ca.key');
  openssl(folder, [
    ...[
      'req',
      '-x509',
      '-new',
      '-key',
      'ca.key',
      '-subj',
      '/CN=wholegroup-test-ca',
      '-days',
      '3650',
    ],
    ...['-addext', 'keyUsage=critical,keyCertSign,digitalSignature', '-out', 'ca.crt'],
  ]);
  writeServingCertificate(folder, 'server');
}

/** The key pair of service account tokens: `tokens.key`, `tokens.pub`. */
export function writeTokenKey(folder: string): void {
  key(folder, 'tokens.key');
  openssl(folder, ['ec', '-in', 'tokens.key', '-pubout', '-out', 'tokens.pub']);
}
