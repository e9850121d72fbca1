import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { put, rejection, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit } from '../support/replicas.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

test('a replica follows over TLS with a token, and trusts only the authority it was given', async () => {
  const primary = await startPrimary({
    dataDir: await temporaryDirectory(),
    listen: 'localhost:0',
    replication: 'enabled',
    token: 'secret',
    tlsCertFile: fixture('tls-cert.pem'),
    tlsKeyFile: fixture('tls-key.pem'),
  });
  const url = (primary.url as string).replace(/\/\/[^/]*:/, '//localhost:');
  expect(url).toMatch(/^https:/);
  await primary.commit([put('a', '1')]);
  const options = { primaryUrl: url, primaryToken: 'secret', replication: 'enabled' } as const;
  const distrusting = await rejection(startReplica({ dataDir: await temporaryDirectory(), ...options }));
  expect(distrusting).toMatchObject({
    code: 'PRIMARY_UNREACHABLE',
    evidence: { message: expect.stringMatching(/self.signed/i) as string },
  });
  const replica = await startReplica({
    dataDir: await temporaryDirectory(),
    ...options,
    primaryCaFile: fixture('tls-cert.pem'),
  });
  await appliedCommit(replica, 1);
});
