// What the numbers mean, folded away.
"use strict";

function help(experiment) {
  const term = (name, text) => [el("dt", {}, name), el("dd", {}, text)];
  return folded(
    "help",
    "How to read this page",
    el(
      "dl",
      {},
      term(
        "Score",
        "what a method says without retraining: above 0, training on the example raised the output for this target; below 0, it lowered it. Methods have units of their own: compare signs and ranks. Tied: the same in the four digits that are kept, so that their order means nothing.",
      ),
      term(
        "Measured",
        `${experiment.provenance.subsets} random parts of the training set were trained on anew. The mean output of the models that had seen the example, less that of the models that had not, ± its standard error. No method enters. One example moves little: where the error is as large as the difference, nothing was measured.`,
      ),
      term(
        "Gauge",
        "the measured difference as a dot, blue above 0 and orange below, with its error as a line; dotted: 0. All gauges in view reach equally far.",
      ),
      term(
        "LDS",
        "linear datamodeling score: over those parts of the training set, the rank correlation of what the scores foretell with what retraining gave; in brackets its interval. The ceiling is what perfect scores would reach, given the chance in training.",
      ),
      experiment.border &&
        term(
          "Brittleness",
          "how many of the examples that a method ranks highest had to be removed until models trained anew predict another class; a number of training examples, the fewest of those tried.",
        ),
      experiment.self_influence &&
        term(
          "Self-influence",
          "the score of a training example for itself, in the units of its method: high where models learn it by heart.",
        ),
      term(
        "Ridge",
        "what a method adds to the diagonal of its matrix before it inverts it, in multiples of the mean of that diagonal: more makes scores steadier and blunter.",
      ),
      experiment.tables.shift &&
        term(
          "FID",
          "Fréchet distance between the features of two sets of pictures, in squared units of the features: 0 where mean and covariance are the same.",
        ),
      experiment.steps &&
        term(
          "t",
          "the timestep of diffusion: high where there is almost nothing but noise, low where the picture is nearly done.",
        ),
      term(
        "Frames",
        "solid blue: the highest scores; dashed orange: the lowest. ≠: of another class than the target.",
      ),
      term(
        "Keys",
        `once you pressed somewhere in the list or the content: n and p: next and previous target; / : search${experiment.steps ? "; ← and → on the slider: steps" : ""}.`,
      ),
    ),
  );
}
