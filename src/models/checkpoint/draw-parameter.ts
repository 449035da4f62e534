// Fresh parameters. A parameter's numbers depend on the seed and its name only, so changing one layer leaves the others as
// they were.
import { deriveSeed } from "../../seeds.ts";
import { type DType, Generator, op, scope, type Tensor } from "../../tensor/index.ts";
import { numElements, type ParameterSpec } from "./parameter-spec.ts";

/** Standard deviation of fresh embeddings; weights get 1 / sqrt(inputs), which keeps the scale of what they multiply. */
const EMBEDDING_STD = 0.02;
/** Elements drawn at once: large weights of a narrow type need little room beside themselves. */
const DRAW_ELEMENTS = 1 << 24;

/** One fresh parameter of a decoder with this many layers. */
export function drawParameter(
  { name, shape, role }: ParameterSpec,
  numLayers: number,
  seed: number,
  dtype: DType,
): Tensor {
  if (role === "zero") return op.zeros(shape, { dtype });
  if (role === "one") return op.ones(shape, { dtype });
  const numInputs = numElements(shape.slice(1));
  const std = role === "embedding" ? EMBEDDING_STD : numInputs ** -0.5;
  const scale = role === "residual" ? std * (2 * numLayers) ** -0.5 : std;
  using generator = new Generator(deriveSeed(seed, name));
  const total = numElements(shape);
  // Drawn in float32: half precision has too few uniform numbers to make normal ones of.
  if (dtype === "float32" && total <= DRAW_ELEMENTS) return op.randn(shape, { generator }).mul_(scale);
  const flat = op.empty([total], { dtype });
  for (let start = 0; start < total; start += DRAW_ELEMENTS) {
    const count = Math.min(DRAW_ELEMENTS, total - start);
    scope(() => void flat.narrow(0, start, count).copy_(op.randn([count], { generator }).mul_(scale)));
  }
  return flat.view(shape);
}
