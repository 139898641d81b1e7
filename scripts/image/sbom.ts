// The bill of materials of the image as SPDX 2.3: what is inside, in which version, under which licence, and what
// contains what. Made from what was put in, not from a scan; the same input gives the same text.
import { createHash } from 'node:crypto';
import type { DebianPackage } from './debian.ts';

/** A package of npm that the bundle has code of. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

/** Everything that is in the image. */
export interface Contents {
  readonly version: string;
  readonly architecture: string;
  readonly npm: readonly NpmPackage[];
  readonly debian: readonly DebianPackage[];
  readonly node: {
    readonly version: string;
    /** SHA-256 of the binary as npm has it. */
    readonly sha256: string;
    /** What Node.js was built with: `process.versions`. */
    readonly parts: Readonly<Record<string, string>>;
  };
  readonly timeSeconds: number;
}

const nothing = 'NOASSERTION';
const ownId = 'SPDXRef-wholegroup';
const nodeId = 'SPDXRef-node';

interface Described {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly supplier: string;
  /** SPDX expression of the licence, where it is known as one. */
  readonly licence: string;
  /** What else is known of it. */
  readonly licenceComments?: string;
  readonly purl: string;
  readonly sha256?: string;
}

function idOf(kind: string, name: string): string {
  return `SPDXRef-${kind}-${name.replace(/^@/, '').replaceAll(/[^A-Za-z0-9.]+/g, '-')}`;
}

function element(described: Described): object {
  const { id, name, version, supplier, licence, licenceComments, purl, sha256 } = described;
  return {
    SPDXID: id,
    name,
    versionInfo: version,
    supplier,
    downloadLocation: nothing,
    filesAnalyzed: false,
    licenseConcluded: nothing,
    licenseDeclared: licence,
    ...(licenceComments === undefined ? {} : { licenseComments: licenceComments }),
    copyrightText: nothing,
    ...(sha256 === undefined
      ? {}
      : { checksums: [{ algorithm: 'SHA256', checksumValue: sha256 }] }),
    externalRefs: [
      { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl },
    ],
  };
}

function npmPackage({ name, version, license }: NpmPackage): Described {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const id = idOf('npm', name);
  return { id, name, version, supplier: nothing, licence: license, purl };
}

/** Names of a source package are no expression for one of its files, and not those of SPDX. */
function licencesOf({ name, licences }: DebianPackage): string {
  const notice = `usr/share/doc/${name}/copyright`;
  if (licences.length === 0) return `${notice} has the licences, as text`;
  return `${notice} of the source package names: ${licences.join('; ')}`;
}

function debianPackage(from: DebianPackage): Described {
  const { name, version, architecture, sha256 } = from;
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
  const supplier = 'Organization: Debian';
  const licenceComments = licencesOf(from);
  const id = idOf('deb', name);
  return { id, name, version, supplier, licence: nothing, licenceComments, purl, sha256 };
}

/** Libraries inside the Node.js binary; numbers that name interfaces (modules, napi) are no libraries. */
function nodeParts(parts: Readonly<Record<string, string>>): readonly Described[] {
  const interfaces = ['node', 'modules', 'napi', 'unicode', 'cldr', 'tz'];
  return Object.entries(parts)
    .filter(([name]) => !interfaces.includes(name))
    .map(([name, version]) => ({
      ...{ id: idOf('node', name), name, version, supplier: nothing, licence: nothing },
      purl: `pkg:generic/${name}@${encodeURIComponent(version)}`,
    }));
}

function relations(from: string, kind: string, to: readonly Described[]): readonly object[] {
  return to.map(({ id }) => ({
    spdxElementId: from,
    relationshipType: kind,
    relatedSpdxElement: id,
  }));
}

/** The document. */
export function billOfMaterials(contents: Contents): string {
  const { version, architecture, node } = contents;
  const own: Described = {
    ...{ id: ownId, name: 'wholegroup', version, supplier: nothing, licence: 'Apache-2.0' },
    purl: `pkg:oci/wholegroup@${version}?arch=${architecture}`,
  };
  const runtime: Described = {
    ...{ id: nodeId, name: 'node', version: node.version, sha256: node.sha256 },
    ...{ supplier: 'Organization: OpenJS Foundation', licence: 'MIT' },
    purl: `pkg:generic/node@${node.version}`,
  };
  const inside = [...contents.npm.map(npmPackage), ...contents.debian.map(debianPackage)];
  const parts = nodeParts(node.parts);
  const packages = [own, runtime, ...inside, ...parts].map(element);
  const hash = createHash('sha256').update(JSON.stringify(packages)).digest('hex');
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `wholegroup-${version}-${architecture}`,
    documentNamespace: `https://wholegroup.dev/spdx/${hash}`,
    creationInfo: {
      created: new Date(contents.timeSeconds * 1000).toISOString().replace('.000', ''),
      creators: [`Tool: wholegroup-${version}`],
    },
    packages,
    relationships: [
      ...relations('SPDXRef-DOCUMENT', 'DESCRIBES', [own]),
      ...relations(ownId, 'CONTAINS', [runtime, ...inside]),
      ...relations(nodeId, 'CONTAINS', parts),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
