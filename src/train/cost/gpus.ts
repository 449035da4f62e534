// GPUs by name: what the makers' data sheets say, dense and without sparsity. Speeds are peaks; what of them is reached is an
// assumption of its own (time.ts).

export interface GpuFacts {
  readonly name: string;
  /** Of the memory, 1024^3 bytes. */
  readonly gigabytes: number;
  /** Dense bfloat16 with float32 sums, 1e12 operations a second. */
  readonly teraflops: number;
  /** Of the memory, 1e9 bytes a second. */
  readonly gigabytesPerSecond: number;
  /** To another GPU of the same machine, in one direction. */
  readonly linkGigabytesPerSecond: number;
  readonly source: string;
}

export const gpus: Readonly<Record<string, GpuFacts>> = {
  "rtx-4090": {
    ...{ name: "RTX 4090", gigabytes: 24, teraflops: 165, gigabytesPerSecond: 1008, linkGigabytesPerSecond: 25 },
    source: "NVIDIA Ada GPU architecture whitepaper, appendix A",
  },
  l4: {
    ...{ name: "L4", gigabytes: 24, teraflops: 121, gigabytesPerSecond: 300, linkGigabytesPerSecond: 25 },
    source: "NVIDIA L4 data sheet (242 with sparsity)",
  },
  a10: {
    ...{ name: "A10", gigabytes: 24, teraflops: 125, gigabytesPerSecond: 600, linkGigabytesPerSecond: 25 },
    source: "NVIDIA A10 data sheet",
  },
  l40s: {
    ...{ name: "L40S", gigabytes: 48, teraflops: 362, gigabytesPerSecond: 864, linkGigabytesPerSecond: 25 },
    source: "NVIDIA L40S data sheet (733 with sparsity)",
  },
  "a100-40": {
    ...{ name: "A100 40 GB", gigabytes: 40, teraflops: 312, gigabytesPerSecond: 1555, linkGigabytesPerSecond: 300 },
    source: "NVIDIA A100 data sheet, SXM",
  },
  "a100-80": {
    ...{ name: "A100 80 GB", gigabytes: 80, teraflops: 312, gigabytesPerSecond: 2039, linkGigabytesPerSecond: 300 },
    source: "NVIDIA A100 data sheet, SXM",
  },
  h100: {
    ...{ name: "H100", gigabytes: 80, teraflops: 989, gigabytesPerSecond: 3350, linkGigabytesPerSecond: 450 },
    source: "NVIDIA H100 data sheet, SXM (1,979 with sparsity)",
  },
  h200: {
    ...{ name: "H200", gigabytes: 141, teraflops: 989, gigabytesPerSecond: 4800, linkGigabytesPerSecond: 450 },
    source: "NVIDIA H200 data sheet, SXM (1,979 with sparsity)",
  },
};

/** Of GPUs with equal memory, the one whose figures stand for a plain number. */
const ofMemory: readonly (readonly [gigabytes: number, key: string])[] = [
  [24, "rtx-4090"],
  [40, "a100-40"],
  [48, "l40s"],
  [80, "h100"],
  [141, "h200"],
];

/** @param text a name of `gpus`, or gigabytes: then the figures are those of the smallest GPU with so many. Null for neither. */
export function gpuNamed(text: string): GpuFacts | null {
  const key = text.toLowerCase().replaceAll(/[\s_]+/g, "-");
  if (Object.hasOwn(gpus, key)) return gpus[key]!;
  const gigabytes = Number(text);
  if (!(Number.isFinite(gigabytes) && gigabytes >= 1 && gigabytes <= 1024)) return null;
  const [, like] = ofMemory.find(([least]) => gigabytes <= least) ?? ofMemory.at(-1)!;
  const facts = gpus[like!]!;
  return { ...facts, gigabytes, name: facts.gigabytes === gigabytes ? facts.name : `${gigabytes} GB` };
}
