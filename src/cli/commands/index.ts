// Every command of the command line, in the order of the help: what people do first comes first. A command's file is loaded when
// that command is called.

import type { CommandDefinition } from "../base/command.ts";

export const commands: readonly CommandDefinition[] = [
  {
    name: "demo",
    summary: "train and compare the arms on rendered clips, and write a report page",
    group: "First steps:",
    configure: async (command) => (await import("./demo/index.ts")).configureDemo(command),
  },
  {
    name: "studio",
    summary:
      "a page that shows runs while they run: curves, what was said and what it earned, which clause met which cue",
    group: "Measure:",
    configure: async (command) => (await import("./serve/studio.ts")).configureStudio(command),
  },
  {
    name: "report",
    summary:
      "a page of any run: curves, evaluations, warnings, settings; of a demo, a benchmark or a score its report again",
    group: "Measure:",
    configure: async (command) => (await import("./report.ts")).configureReport(command),
  },
  {
    name: "score",
    summary: "score predictions of any model: MER-UniBench (EW, hit rate, weighted F), WAR and UAR, with intervals",
    group: "Measure:",
    configure: async (command) => (await import("./score/index.ts")).configureScore(command),
  },
  {
    name: "lexicon",
    summary: "the emotion lexicon: import the community's, or see why a word scores as it does",
    group: "Measure:",
    configure: async (command) => (await import("./lexicon.ts")).configureLexicon(command),
  },
  {
    name: "mep",
    summary: "MEP-Bench: does a model name what is there, and does what it says depend on what it sees and hears",
    group: "Measure:",
    configure: async (command) => (await import("./mep/index.ts")).configureMep(command),
  },
  {
    name: "sft",
    summary: "supervised fine-tuning, the cold start of reinforcement: on samples with reasonings, or on conversations",
    group: "Train:",
    configure: async (command) => (await import("./sft.ts")).configureSft(command),
  },
  {
    name: "train",
    summary: "train a model with reinforcement learning: GRPO, OPPO and their relatives, on any corpus of samples",
    group: "Train:",
    configure: async (command) => (await import("./train.ts")).configureTrain(command),
  },
  {
    name: "launch",
    summary: "train by several processes of this machine, a GPU each",
    group: "Train:",
    configure: async (command) => (await import("./launch.ts")).configureLaunch(command),
  },
  {
    name: "r1-omni",
    summary: "R1-Omni's Table 1: base, cold start, label SFT and RLVR of a HumanOmni, in and out of distribution",
    group: "Train:",
    configure: async (command) => (await import("./r1-omni.ts")).configureROneOmni(command),
  },
  {
    name: "ablate",
    summary: "a grid of presets, settings, cold starts and seeds: the paper's Tables 3 to 7 and Figure 3, or your own",
    group: "Train:",
    configure: async (command) => (await import("./ablate.ts")).configureAblate(command),
  },
  {
    name: "plan",
    summary: "which settings of a training fit on a GPU, and how long a step and the run would take",
    group: "Train:",
    configure: async (command) => (await import("./plan.ts")).configurePlan(command),
  },
  {
    name: "presets",
    summary: "list the presets of oppo sft and oppo train (the demo's arms), each with what it changes",
    group: "Train:",
    configure: async (command) => (await import("./presets.ts")).configurePresets(command),
  },
  {
    name: "pull",
    summary: "fetch a model from the Hugging Face hub: only what is needed, resumable, checked",
    group: "Models:",
    configure: async (command) => (await import("./pull.ts")).configurePull(command),
  },
  {
    name: "inspect",
    summary: "show what a model folder holds: architecture, parameters, memory to infer and to train, what is missing",
    group: "Models:",
    configure: async (command) => (await import("./inspect.ts")).configureInspect(command),
  },
  {
    name: "infer",
    summary:
      "ask a model about clips: its thinking, its answer, tokens per second; with parts of a clip masked if wanted",
    group: "Models:",
    configure: async (command) => (await import("./infer.ts")).configureInfer(command),
  },
  {
    name: "serve",
    summary: "servers: a model with OpenAI's chat completions, or the Omni-Perception Reward for other trainers",
    group: "Models:",
    configure: async (command) => (await import("./serve/index.ts")).configureServe(command),
  },
  {
    name: "init",
    summary: "write a model with random weights of a real shape, for tests and speed runs",
    group: "Models:",
    configure: async (command) => (await import("./init.ts")).configureInit(command),
  },
  {
    name: "data",
    summary:
      "the emotion data sets: which can be read, whether yours is complete and clean, and their samples as JSON lines",
    group: "Data:",
    configure: async (command) => (await import("./data.ts")).configureData(command),
  },
  {
    name: "evidence",
    summary: "turn written reasonings into cues: what is seen, heard and concluded (extract)",
    group: "Data:",
    configure: async (command) => (await import("./evidence.ts")).configureEvidence(command),
  },
  {
    name: "embed",
    summary:
      "texts to vectors with Qwen3-Embedding, a server or the built-in embedder; how alike they are; calibration",
    group: "Data:",
    configure: async (command) => (await import("./embed/index.ts")).configureEmbed(command),
  },
  {
    name: "theatre",
    summary: "make the theatre: clips of a painted actor whose visible and audible cues are known exactly",
    group: "Data:",
    configure: async (command) => (await import("./theatre.ts")).configureTheatre(command),
  },
  {
    name: "setup",
    summary: "compile what computes with libtorch, once; the other commands do without",
    group: "This machine:",
    configure: async (command) => (await import("./setup.ts")).configureSetup(command),
  },
  {
    name: "doctor",
    summary: "show what is there and what is missing (libtorch, codecs, memory, disk), and how to mend it",
    group: "This machine:",
    configure: async (command) => (await import("./doctor.ts")).configureDoctor(command),
  },
  {
    name: "completion",
    summary: "print a script with which a shell completes commands and options",
    group: "This machine:",
    configure: async (command) => (await import("./completion.ts")).configureCompletion(command),
  },
  {
    name: "demo-task",
    summary: "run one task of the demo",
    group: "First steps:",
    isInternal: true,
    configure: async (command) => (await import("./demo/task.ts")).configureDemoTask(command),
  },
];
