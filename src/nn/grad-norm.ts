// Gradient clipping by the norm of all gradients together, as torch.nn.utils.clip_grad_norm_.
import { noGrad, op, scope, type Tensor } from "../tensor/index.ts";

const epsilon = 1e-6;

/**
 * Scales the gradients so that their joint norm is at most `maxNorm`, and returns the norm from before. A norm that is
 * not finite leaves the gradients as they are: the caller decides about the step.
 */
export function clipGradNorm(parameters: readonly Tensor[], maxNorm: number): number {
  return noGrad(() =>
    scope(() => {
      const gradients = parameters.map((parameter) => parameter.grad).filter((gradient) => gradient !== null);
      if (gradients.length === 0) return 0;
      const norms = gradients.map((gradient) => op.linalgVectorNorm(gradient, { dtype: "float32" }));
      const norm = op.linalgVectorNorm(op.stack(norms)).item();
      const factor = maxNorm / (norm + epsilon);
      if (Number.isFinite(norm) && factor < 1) for (const gradient of gradients) gradient.mul_(factor);
      return norm;
    }),
  );
}
