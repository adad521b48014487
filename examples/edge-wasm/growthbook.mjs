// The core for JavaScript: snapshots of a payload, contexts of users, and evaluations.
//
//   const growthbook = await GrowthBook.load(bytesOrModule);
//   const snapshot = growthbook.snapshot(payloadText);      // once for each payload
//   const checkout = growthbook.key("new-checkout");        // once for each flag in use
//   const context = growthbook.context({ attributes: { id: "user-1" }, url: request.url });
//   snapshot.isOn(context, checkout);
//   context.free();                                         // when the request is answered
//
// Snapshots, contexts and keys are kept in the memory of WebAssembly. `free` gives the memory back.
// The garbage collector does so for an object that was forgotten, but later.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The module. */
export class GrowthBook {
  /** Starts the module: its bytes, or a `WebAssembly.Module` that the platform compiled. */
  static async load(source) {
    const module =
      source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
    // The module imports nothing: it has no clock, no threads and no output.
    return new GrowthBook(await WebAssembly.instantiate(module, {}));
  }

  constructor(instance) {
    this.exports = instance.exports;
  }

  /** Compiles a payload: the text of the API's response. Throws if it is not a payload. */
  snapshot(payload) {
    this.pass(payload);
    return new Snapshot(this, this.created(this.exports.snapshot_new()));
  }

  /** Keeps a user's context: `{attributes, url, forcedVariations, enabled, qaMode, ...}`. */
  context(context) {
    return this.contextOfText(JSON.stringify(context));
  }

  /** Keeps a user's context that is already JSON text. */
  contextOfText(text) {
    this.pass(text);
    return new Handle(this, this.created(this.exports.context_new()), this.exports.context_free);
  }

  /** Keeps the key of a feature that is asked for often. */
  key(key) {
    this.pass(key);
    return new Handle(this, this.exports.key_new(), this.exports.key_free);
  }

  /** Passes a text to the next call. */
  pass(text) {
    const bytes = encoder.encode(text);
    const start = this.exports.input(bytes.length);
    new Uint8Array(this.exports.memory.buffer, start, bytes.length).set(bytes);
  }

  /** Returns the text of the last answer. */
  answer() {
    const start = this.exports.output_start();
    const length = this.exports.output_length();
    return decoder.decode(new Uint8Array(this.exports.memory.buffer, start, length));
  }

  created(number) {
    if (number === 0) throw new Error(this.answer());
    return number;
  }
}

const forgotten = new FinalizationRegistry(({ number, free }) => free(number));

/** An object in the memory of WebAssembly. */
class Handle {
  #free;

  constructor(growthbook, number, free) {
    this.growthbook = growthbook;
    this.number = number;
    this.#free = free;
    forgotten.register(this, { number, free }, this);
  }

  /** Gives the memory back. The object answers like a payload without features from then on. */
  free() {
    if (this.number === 0) return;
    forgotten.unregister(this);
    this.#free(this.number);
    this.number = 0;
  }
}

/** A compiled payload. */
class Snapshot extends Handle {
  /** The parts of the payload that were left out. */
  warnings;

  constructor(growthbook, number) {
    super(growthbook, number, growthbook.exports.snapshot_free);
    this.warnings = JSON.parse(growthbook.answer());
  }

  /** Whether a feature is on. */
  isOn(context, key) {
    return this.growthbook.exports.is_on(this.number, context.number, key.number) === 1;
  }

  /** The value of a feature; null if it has none. */
  featureValue(context, key) {
    this.growthbook.exports.feature_value(this.number, context.number, key.number);
    return JSON.parse(this.growthbook.answer());
  }

  /** The FeatureResult of a feature as JSON text. */
  evalFeature(context, key) {
    return this.#ask("eval_feature", context, key);
  }

  /** Whether a user passes a condition, as JSON text. */
  evalCondition(context, condition) {
    return this.#ask("eval_condition", context, condition);
  }

  /** The ExperimentResult of an inline experiment as JSON text. */
  run(context, experiment) {
    return this.#ask("run", context, experiment);
  }

  /** The redirects of the context's page as JSON text. */
  redirects(context) {
    return this.#ask("redirects", context, "");
  }

  /** The FeatureResult, and the user's documents after it by key, as JSON text. */
  evalSticky(context, keyAndDocuments) {
    return this.#ask("eval_sticky", context, keyAndDocuments);
  }

  #ask(name, context, text) {
    this.growthbook.pass(text);
    this.growthbook.exports[name](this.number, context.number);
    return this.growthbook.answer();
  }
}
