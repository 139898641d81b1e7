// Makes image archives without docker and without a registry: layers and a configuration become the two forms that
// container tools load, an OCI layout and docker's own. The same input gives the same bytes.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Entry, tar } from './tar.ts';

/** What a container of the image runs, and how. Names as in the OCI image specification. */
export interface RunConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

/** An image to make. */
export interface ImageSource {
  /** Full names with their tags: `localhost/wholegroup:0.1.0`. */
  readonly names: readonly string[];
  /** As Go writes it. */
  readonly architecture: 'amd64' | 'arm64';
  /** Lowest first. What a later layer has at the same path hides what is below. */
  readonly layers: readonly (readonly Entry[])[];
  readonly config: RunConfig;
  /** Time of every file and of the image, in seconds since 1970. */
  readonly timeSeconds: number;
  /** How hard to compress: 6 unless said, for 9 takes four times as long for half a percent; 1 for what is thrown away. */
  readonly level?: number;
}

/** Something that is named by its content. */
interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly bytes: Buffer;
}

/** What is known of a layer besides its bytes. */
interface Layer {
  readonly blob: Blob;
  /** Digest before compression. */
  readonly diffId: string;
}

/** Both archives of one image. */
export interface ImageArchives {
  /** A tar of an OCI layout: `ctr images import`, `skopeo copy oci-archive:…`, `podman load`. */
  readonly oci: Buffer;
  /** `docker load`, `kind load image-archive`, `ctr images import`. */
  readonly docker: Buffer;
  /** Digest of the manifest: the image's own in a registry. */
  readonly digest: string;
  /** Digest of the configuration: docker's image ID. */
  readonly imageId: string;
  /** Bytes of all compressed layers: what a node fetches. */
  readonly compressedBytes: number;
}

const mediaTypes = {
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  config: 'application/vnd.oci.image.config.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
} as const;

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function blobOf(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function descriptor({ mediaType, digest, size }: Blob): object {
  return { mediaType, digest, size };
}

function layerOf(entries: readonly Entry[], { timeSeconds, level = 6 }: ImageSource): Layer {
  const plain = tar(entries, timeSeconds);
  return { blob: blobOf(mediaTypes.layer, gzipSync(plain, { level })), diffId: digestOf(plain) };
}

function configOf(source: ImageSource, layers: readonly Layer[]): Blob {
  const created = new Date(source.timeSeconds * 1000).toISOString();
  const text = {
    created,
    architecture: source.architecture,
    os: 'linux',
    config: source.config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created, created_by: 'npm run image' })),
  };
  return blobOf(mediaTypes.config, json(text));
}

function blobPath({ digest }: Blob): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function fileOf(path: string, content: Buffer): Entry {
  return { kind: 'file', path, mode: 0o644, content };
}

/** The files of an OCI layout. `ref.name` is the tag alone, containerd's annotation has the whole name. */
function layoutFiles(source: ImageSource, manifest: Blob, blobs: readonly Blob[]): Entry[] {
  const manifests = source.names.map((name) => ({
    ...descriptor(manifest),
    platform: { architecture: source.architecture, os: 'linux' },
    annotations: {
      'io.containerd.image.name': name,
      'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
    },
  }));
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
  return [
    fileOf('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
    fileOf('index.json', json(index)),
    ...blobs.map((blob) => fileOf(blobPath(blob), blob.bytes)),
  ];
}

/** The files of docker's form. Layers stay compressed: docker and containerd look for themselves. */
function dockerFiles(source: ImageSource, config: Blob, layers: readonly Blob[]): Entry[] {
  const hex = ({ digest }: Blob): string => digest.slice('sha256:'.length);
  const configPath = `${hex(config)}.json`;
  const layerPaths = layers.map((layer) => `${hex(layer)}.tar.gz`);
  const manifest = [{ Config: configPath, RepoTags: source.names, Layers: layerPaths }];
  return [
    fileOf('manifest.json', json(manifest)),
    fileOf(configPath, config.bytes),
    ...layers.map((layer, index) => fileOf(layerPaths[index] ?? '', layer.bytes)),
  ];
}

/** Both archives of the image. Refuses a name without a tag, and equal layers. */
export function imageArchives(source: ImageSource): ImageArchives {
  for (const name of source.names) {
    if (!/^[^\s@]+\/[^\s@]+:[\w.-]+$/.test(name)) {
      throw new Error(`"${name}" is not the full name of an image with a tag`);
    }
  }
  const layers = source.layers.map((entries) => layerOf(entries, source));
  const layerBlobs = layers.map(({ blob }) => blob);
  const config = configOf(source, layers);
  const manifest = blobOf(
    mediaTypes.manifest,
    json({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: descriptor(config),
      layers: layerBlobs.map(descriptor),
    }),
  );
  const blobs = [manifest, config, ...layerBlobs];
  return {
    oci: tar(layoutFiles(source, manifest, blobs), source.timeSeconds),
    docker: tar(dockerFiles(source, config, layerBlobs), source.timeSeconds),
    digest: manifest.digest,
    imageId: config.digest,
    compressedBytes: layerBlobs.reduce((total, { size }) => total + size, 0),
  };
}
