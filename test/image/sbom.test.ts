// The bill of materials is SPDX 2.3, names everything once, and says what contains what.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { billOfMaterials, type Contents } from '../../scripts/image/sbom.ts';

const contents: Contents = {
  version: '0.1.0',
  architecture: 'amd64',
  timeSeconds: 0,
  npm: [
    { name: '@grpc/grpc-js', version: '1.14.7', license: 'Apache-2.0' },
    { name: 'pino', version: '10.4.0', license: 'MIT' },
  ],
  debian: [
    {
      ...{ name: 'libstdc++6', version: '14.2.0-19', architecture: 'amd64' },
      ...{ sha256: 'ab'.repeat(32), control: '', licences: [] },
    },
    {
      ...{ name: 'udev', version: '257.13-1~deb13u1', architecture: 'amd64' },
      ...{ sha256: 'ba'.repeat(32), control: '', licences: ['GPL-2+', 'LGPL-2.1+'] },
    },
  ],
  node: {
    version: '26.10.0',
    sha256: 'cd'.repeat(32),
    parts: { node: '26.10.0', v8: '14.1', uv: '1.52.0' },
  },
};

interface Document {
  readonly spdxVersion: string;
  readonly documentNamespace: string;
  readonly creationInfo: { readonly created: string };
  readonly packages: readonly {
    readonly SPDXID: string;
    readonly name: string;
    readonly versionInfo: string;
    readonly licenseComments?: string;
    readonly externalRefs: readonly [{ readonly referenceLocator: string }];
  }[];
  readonly relationships: readonly {
    readonly spdxElementId: string;
    readonly relationshipType: string;
    readonly relatedSpdxElement: string;
  }[];
}
const document = JSON.parse(billOfMaterials(contents)) as Document;

test('every package has an identifier of its own in the form of SPDX, and a purl', () => {
  assert.equal(document.spdxVersion, 'SPDX-2.3');
  assert.equal(document.creationInfo.created, '1970-01-01T00:00:00Z');
  const ids = document.packages.map(({ SPDXID }) => SPDXID);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^SPDXRef-[A-Za-z0-9.-]+$/);
  assert.deepEqual(
    document.packages.map(({ externalRefs: [{ referenceLocator }] }) => referenceLocator),
    [
      'pkg:oci/wholegroup@0.1.0?arch=amd64',
      'pkg:generic/node@26.10.0',
      'pkg:npm/%40grpc/grpc-js@1.14.7',
      'pkg:npm/pino@10.4.0',
      'pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64',
      'pkg:deb/debian/udev@257.13-1~deb13u1?arch=amd64',
      'pkg:generic/v8@14.1',
      'pkg:generic/uv@1.52.0',
    ],
  );
});

test('of a package of Debian it says which licences its notice names, and where that is', () => {
  const said = document.packages.flatMap(({ licenseComments }) => licenseComments ?? []);
  assert.deepEqual(said, [
    'usr/share/doc/libstdc++6/copyright has the licences, as text',
    'usr/share/doc/udev/copyright of the source package names: GPL-2+; LGPL-2.1+',
  ]);
});

test('everything is inside something, and all that is named is described', () => {
  const ids = new Set(document.packages.map(({ SPDXID }) => SPDXID));
  const inside = document.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement);
  assert.deepEqual([...ids].sort(), [...inside].sort());
  for (const { spdxElementId } of document.relationships)
    assert.ok(spdxElementId === 'SPDXRef-DOCUMENT' || ids.has(spdxElementId));
});

test('the same contents give the same text, others another namespace', () => {
  assert.equal(billOfMaterials(contents), billOfMaterials({ ...contents }));
  const other = JSON.parse(billOfMaterials({ ...contents, npm: [] })) as Document;
  assert.notEqual(other.documentNamespace, document.documentNamespace);
});
