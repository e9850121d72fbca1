/**
 * A count of versions that does not depend on their order: how many there are, and the sum of their checksums, each of which
 * covers commit id, operation, names and document. What is lost, doubled or exchanged changes it, but for one case in four
 * thousand million.
 */
export class Census {
  versions = 0;
  checksumSum = 0;

  add(crc: number): void {
    this.addAll({ versions: 1, checksumSum: crc });
  }

  addAll({ versions, checksumSum }: Pick<Census, 'versions' | 'checksumSum'>): void {
    this.versions += versions;
    this.checksumSum = (this.checksumSum + checksumSum) >>> 0;
  }
}
