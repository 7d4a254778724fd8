/** Certificates by openssl, below a folder: `<name>.pem` and `<name>.key`. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CertificateWish {
  /** Undefined signs itself. */
  readonly issuer?: string;
  readonly bits?: number;
  readonly extensions: readonly string[];
  /** Valid in 2019 and until June 2020. */
  readonly old?: boolean;
}

export interface CertificateAuthority {
  readonly certificate: (name: string, options: CertificateWish) => void;
  readonly AUTHORITY: readonly string[];
  readonly PERSON: readonly string[];
}

const AUTHORITY = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', 'subjectKeyIdentifier=hash'];
const PERSON = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature', 'subjectAltName=email:ada@example.org'];

export function certificateAuthority(folder: string, openssl: (args: readonly string[]) => unknown): CertificateAuthority {
  function certificate(name: string, options: CertificateWish): void {
    const [key, request, extensions] = [`${name}.key`, `${name}.csr`, `${name}.ext`];
    writeFileSync(join(folder, extensions), `${options.extensions.join('\n')}\n`);
    openssl([
      'req',
      '-newkey',
      `rsa:${options.bits ?? 2048}`,
      '-nodes',
      '-keyout',
      key,
      '-out',
      request,
      '-subj',
      `/CN=${name}`,
      '-sha256',
    ]);
    const serial = ['-set_serial', String(1000 + readdirSync(folder).length)];
    const by = ['-CA', `${options.issuer ?? ''}.pem`, '-CAkey', `${options.issuer ?? ''}.key`];
    const made = [
      'x509',
      '-req',
      '-in',
      request,
      ...by,
      ...serial,
      '-out',
      `${name}.pem`,
      '-sha256',
      '-extfile',
      extensions,
      '-days',
      '3650',
    ];
    const dated = ['ca', '-batch', '-notext', '-in', request, '-out', `${name}.pem`, '-config', authorityConfig(options.issuer ?? name)];
    const years = options.old === true ? ['20190101000000Z', '20200601000000Z'] : ['20180101000000Z', '20400101000000Z'];
    const times = ['-startdate', years[0] ?? '', '-enddate', years[1] ?? '', '-extfile', extensions];
    if (options.issuer === undefined) openssl([...dated, '-selfsign', ...times]);
    else openssl(options.old === true ? [...dated, ...times] : made);
  }

  function authorityConfig(issuer: string): string {
    writeFileSync(join(folder, 'index.txt'), '');
    writeFileSync(join(folder, 'serial'), '4242');
    const lines = ['[ca]', 'default_ca=d', '[d]', `database=${folder}/index.txt`, `serial=${folder}/serial`, `new_certs_dir=${folder}`];
    const more = ['default_md=sha256', 'policy=p', `certificate=${folder}/${issuer}.pem`, `private_key=${folder}/${issuer}.key`];
    writeFileSync(join(folder, 'ca.cnf'), `${[...lines, ...more, 'unique_subject=no', '[p]', 'commonName=supplied'].join('\n')}\n`);
    return join(folder, 'ca.cnf');
  }

  return { certificate, AUTHORITY, PERSON };
}
