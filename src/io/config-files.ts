import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { NodeConfig } from '../core/config.ts';
import { errorText, ReplichartError } from '../core/errors.ts';

/** One thing that a start needs of the files its configuration names. */
export interface ConfigFileCheck {
  readonly check: 'tls_cert_file' | 'tls_key_file' | 'tls_key_pair' | 'primary_ca_file';
  /** What holds when the proof succeeds. */
  readonly claim: string;
  /** @throws ReplichartError `CONFIG_INVALID` */
  readonly prove: () => Promise<void>;
}

/** What is asked of the files that this configuration names and that its node reads, in the order of a start. */
export function configFileChecks(config: NodeConfig): readonly ConfigFileCheck[] {
  const { role, listen, tlsCertFile, tlsKeyFile, primaryCaFile } = config;
  const checks: ConfigFileCheck[] = [];
  if (listen !== undefined && tlsCertFile !== undefined && tlsKeyFile !== undefined)
    checks.push(
      readable('tls_cert_file', 'tlsCertFile', tlsCertFile),
      readable('tls_key_file', 'tlsKeyFile', tlsKeyFile),
      {
        check: 'tls_key_pair',
        claim: 'the key is the key of the certificate',
        prove: () => proveKeyPair(tlsCertFile, tlsKeyFile),
      },
    );
  if (role === 'replica' && primaryCaFile !== undefined)
    checks.push(readable('primary_ca_file', 'primaryCaFile', primaryCaFile));
  return checks;
}

function readable(check: ConfigFileCheck['check'], field: keyof NodeConfig, path: string): ConfigFileCheck {
  return {
    check,
    claim: `${path} can be read`,
    prove: async () => {
      try {
        await readFile(path);
      } catch (error) {
        throw invalid(field, path, `it cannot be read: ${errorText(error)}`, error);
      }
    },
  };
}

async function proveKeyPair(certFile: string, keyFile: string): Promise<void> {
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]).catch((error: unknown) => {
    throw invalid('tlsKeyFile', keyFile, `it cannot be proved: ${errorText(error)}`, error);
  });
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw invalid('tlsKeyFile', keyFile, `it serves no TLS with ${certFile}: ${errorText(error)}`, error);
  }
}

function invalid(field: keyof NodeConfig, path: string, rule: string, cause: unknown): ReplichartError {
  return new ReplichartError('CONFIG_INVALID', `${field} is ${JSON.stringify(path)}: ${rule}`, {
    evidence: { field, file: path },
    cause,
  });
}
