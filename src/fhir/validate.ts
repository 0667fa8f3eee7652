import type { ProblemIssue } from '../kernel/problem.ts';
import { CONSTRAINTS, type Constraint, type JsonObject } from './constraints.ts';
import { IssueList } from './issue.ts';
import { narrativeFault } from './narrative.ts';
import { PRIMITIVE_CHECKS, type PrimitiveFault } from './primitives.ts';
import { type ElementDefinition, isKnownResource, isR4Resource, type TypeDefinition, typeDefinition } from './r4.ts';

/**
 * Validation against R4, driven by the structure definitions. Each type is compiled on first use into one closure per
 * element, so that a Patient costs microseconds (measured: bench/RESULTS.md). `@medplum/core` gives the same verdicts in the
 * tests; where this is stricter on purpose, validate.test.ts lists it.
 */
export function validateResource(resource: unknown): readonly ProblemIssue[] {
  const run = new Run();
  checkResource(resource, run);
  return run.list.issues;
}

/** One validation: where it is, and which resource it is in. Made per call, never shared. */
class Run {
  readonly list = new IssueList();
  readonly path: (string | number)[] = [];
  /** The outermost resource, or the entry of a bundle: where `#id` references look. */
  root: JsonObject | undefined;
  /** The local references met below `root`; undefined until the first. */
  localReferences: Set<string> | undefined;

  fault(code: Parameters<IssueList['add']>[0], detail: string): void {
    this.list.add(code, detail, this.expression());
  }

  /** FHIRPath of the place: `Patient.name[0].given[1]`. */
  expression(): string {
    let text = '';
    for (const step of this.path) {
      if (typeof step === 'number') text += `[${step}]`;
      else text += text === '' ? step : `.${step}`;
    }
    return text;
  }
}

type Check = (value: unknown, run: Run, owner: JsonObject) => void;

interface CompiledType {
  readonly definition: TypeDefinition;
  /** By JSON name; `_name` for the id and extensions of a primitive. */
  readonly elements: ReadonlyMap<string, { readonly step: string; readonly check: Check }>;
  readonly constraints: readonly Constraint[];
}

const compiled = new Map<string, CompiledType>();

function compile(name: string): CompiledType {
  const known = compiled.get(name);
  if (known) return known;
  const definition = typeDefinition(name);
  const elements = new Map<string, { step: string; check: Check }>();
  for (const element of definition.elements) {
    // FHIRPath names a choice without its type: Patient.deceased, not Patient.deceasedBoolean.
    const step = element.base.replace('[x]', '');
    elements.set(element.name, { step, check: element.array ? listCheck(element) : itemCheck(element) });
    if (element.primitive && !element.xmlAttribute) {
      elements.set(`_${element.name}`, { step, check: element.array ? siblingListCheck(element) : siblingCheck });
    }
  }
  const made = { definition, elements, constraints: CONSTRAINTS[name] ?? [] };
  compiled.set(name, made);
  return made;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);

function checkResource(value: unknown, run: Run): void {
  const type = isObject(value) ? value['resourceType'] : undefined;
  if (!isObject(value) || typeof type !== 'string') {
    run.fault('structure', 'A resource with its resourceType was expected.');
    return;
  }
  if (!isKnownResource(type)) {
    const known = isR4Resource(type);
    run.fault(
      known ? 'not-supported' : 'structure',
      known ? 'This resource type is not supported.' : 'There is no such resource type.',
    );
    return;
  }
  if (run.path.length === 0) run.path.push(type);
  const outer = { root: run.root, references: run.localReferences };
  const isContained = run.path.at(-2) === 'contained';
  if (!isContained) {
    run.root = value;
    run.localReferences = undefined;
  }
  checkObject(value, compile(type), run);
  if (isContained) checkContained(value, run);
  else {
    if (value['contained'] !== undefined) checkReferred(value, run);
    run.root = outer.root;
    run.localReferences = outer.references;
  }
}

/** dom-2, dom-4 and dom-5. */
function checkContained(resource: JsonObject, run: Run): void {
  const meta = isObject(resource['meta']) ? resource['meta'] : {};
  if (resource['contained'] !== undefined)
    run.fault('invariant', 'A contained resource must not contain others (dom-2).');
  if (meta['versionId'] !== undefined || meta['lastUpdated'] !== undefined) {
    run.fault('invariant', 'A contained resource has no version and no time of update (dom-4).');
  }
  if (meta['security'] !== undefined) run.fault('invariant', 'A contained resource has no security labels (dom-5).');
}

/** dom-3: a contained resource is referred to from outside it, or refers to what contains it. */
function checkReferred(resource: JsonObject, run: Run): void {
  const contained = Array.isArray(resource['contained']) ? resource['contained'] : [];
  contained.forEach((inner: unknown, index) => {
    const id = isObject(inner) ? inner['id'] : undefined;
    if (typeof id === 'string' && (run.localReferences?.has(`#${id}`) || run.localReferences?.has('#'))) return;
    run.path.push('contained', index);
    run.fault('invariant', 'A contained resource must be referred to from the resource that contains it (dom-3).');
    run.path.length -= 2;
  });
}

function checkObject(value: JsonObject, type: CompiledType, run: Run): void {
  const { definition, elements, constraints } = type;
  const keys = Object.keys(value);
  let children = 0;
  for (const key of keys) {
    const element = elements.get(key);
    if (element) {
      if (key !== 'id') children += 1;
      run.path.push(element.step);
      element.check(value[key], run, value);
      run.path.pop();
      if (run.list.full) return;
    } else if (key !== 'resourceType' || !definition.isResource) {
      unknownElement(key, definition, run);
    }
  }
  if (children === 0 && !definition.isResource)
    run.fault('invariant', 'An element must have a value or children (ele-1).');
  checkPresence(value, type, run);
  for (const constraint of constraints) {
    if (!constraint.holds(value)) run.fault('invariant', `${capital(constraint.text)} (${constraint.key}).`);
  }
  if (definition.name === 'Extension') checkExtension(value, run);
  else if (definition.name === 'Reference') checkLocalReference(value, run);
}

/** The name is the sender's and may hold anything: it is repeated only where it can be nothing but a misspelt element. */
function unknownElement(key: string, { name }: TypeDefinition, run: Run): void {
  const readable = /^_?[a-z][A-Za-z]{0,39}$/.test(key);
  if (readable) run.path.push(key);
  run.fault('structure', `There is no such element in ${name}.`);
  if (readable) run.path.pop();
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function checkPresence(value: JsonObject, { definition }: CompiledType, run: Run): void {
  for (const base of definition.required) {
    const names = definition.choices.get(base) ?? [base];
    if (names.some((name) => value[name] !== undefined || value[`_${name}`] !== undefined)) continue;
    run.path.push(base.replace('[x]', ''));
    run.fault('required', 'A required element is missing.');
    run.path.pop();
  }
  for (const [base, names] of definition.choices) {
    let given = 0;
    for (const name of names) if (value[name] !== undefined || value[`_${name}`] !== undefined) given += 1;
    if (given > 1) run.fault('structure', `Only one ${base} may be given.`);
  }
}

/** ext-1. */
function checkExtension(extension: JsonObject, run: Run): void {
  const hasValue = Object.keys(extension).some((key) => key.startsWith('value') || key.startsWith('_value'));
  if (hasValue === (extension['extension'] !== undefined)) {
    run.fault('invariant', 'An extension has either a value or extensions, not both (ext-1).');
  }
}

/** ref-1. */
function checkLocalReference(reference: JsonObject, run: Run): void {
  const target = reference['reference'];
  if (typeof target !== 'string' || !target.startsWith('#')) return;
  run.localReferences ??= new Set();
  run.localReferences.add(target);
  const contained = run.root?.['contained'];
  const found =
    Array.isArray(contained) && contained.some((inner) => isObject(inner) && `#${String(inner['id'])}` === target);
  if (!found && target !== '#')
    run.fault('invariant', 'A local reference needs a contained resource of that id (ref-1).');
}

/** The check of one value that does not repeat. */
function itemCheck(element: ElementDefinition): Check {
  if (element.name === 'modifierExtension') return refuseModifier;
  if (element.name === 'implicitRules') {
    return (_value, run) => run.fault('not-supported', 'Rules beyond the specification are not understood.');
  }
  if (element.type === 'xhtml') return checkNarrative;
  if (element.primitive) return primitiveCheck(element);
  if (element.type === 'Resource') return checkResource;
  const check: Check = (value, run) => {
    if (isObject(value)) checkObject(value, compile(element.type), run);
    else run.fault('structure', Array.isArray(value) ? 'This element does not repeat.' : 'An object was expected.');
  };
  const { targets } = element;
  return targets ? (value, run, owner) => (check(value, run, owner), checkTarget(value, targets, run)) : check;
}

/** An extension that may turn the meaning round, and that nobody here understands: R4 §2.4.2 demands refusal. */
const refuseModifier: Check = (_value, run) =>
  run.fault('extension', 'A modifier extension is not understood; nothing of this resource was used.');

const checkNarrative: Check = (value, run) => {
  const fault = PRIMITIVE_CHECKS['xhtml']?.(value) ?? narrativeFault(String(value));
  if (fault !== undefined) run.fault('value', `${capital(fault)}.`);
};

function checkTarget(value: unknown, targets: ReadonlySet<string>, run: Run): void {
  const reference = isObject(value) ? value['reference'] : undefined;
  const type =
    typeof reference === 'string'
      ? /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[^/]+)?$/.exec(reference)?.[1]
      : undefined;
  if (type === undefined || !isR4Resource(type) || targets.has(type)) return;
  run.fault('value', 'The reference points at a type of resource that does not belong here.');
}

function primitiveCheck(element: ElementDefinition): Check {
  const test: (value: unknown) => PrimitiveFault = PRIMITIVE_CHECKS[element.type] ?? (() => 'an unknown type');
  const { codes } = element;
  return (value, run) => {
    const fault = test(value);
    if (fault !== undefined)
      run.fault(typeof value === 'string' && value.length > 1_048_576 ? 'too-long' : 'value', `${capital(fault)}.`);
    else if (codes && !codes.has(value as string))
      run.fault('code-invalid', 'The code is not one of those required here.');
  };
}

function listCheck(element: ElementDefinition): Check {
  const check = itemCheck(element);
  return (value, run, owner) => {
    if (!Array.isArray(value)) return run.fault('structure', 'An array was expected.');
    if (value.length === 0) return run.fault('structure', 'An array must not be empty.');
    const siblings = element.primitive ? owner[`_${element.name}`] : undefined;
    for (let index = 0; index < value.length && !run.list.full; index++) {
      const item: unknown = value[index];
      run.path.push(index);
      if (item !== null || !element.primitive) check(item, run, owner);
      else if (!Array.isArray(siblings) || !isObject(siblings[index]))
        run.fault('structure', 'A null needs an extension in its place.');
      run.path.pop();
    }
  };
}

/** `_birthDate`: the id and extensions of a primitive. */
const siblingCheck: Check = (value, run) => {
  if (!isObject(value)) run.fault('structure', 'An object with id or extension was expected.');
  else checkObject(value, primitiveElement(), run);
};

function siblingListCheck(element: ElementDefinition): Check {
  return (value, run, owner) => {
    if (!Array.isArray(value) || value.length === 0) return run.fault('structure', 'An array was expected.');
    const items = owner[element.name];
    for (let index = 0; index < value.length && !run.list.full; index++) {
      const item: unknown = value[index];
      run.path.push(index);
      if (item !== null) siblingCheck(item, run, owner);
      else if (!Array.isArray(items) || items[index] === undefined || items[index] === null) {
        run.fault('structure', 'A null needs a value in its place.');
      }
      run.path.pop();
    }
  };
}

/** Element, the base type of primitives: nothing but id and extension. */
function primitiveElement(): CompiledType {
  const known = compiled.get('Element');
  if (known) return known;
  const { elements } = compile('Extension');
  const pick = new Map([...elements].filter(([name]) => name === 'id' || name === 'extension'));
  const definition: TypeDefinition = {
    ...typeDefinition('Extension'),
    name: 'Element',
    required: [],
    choices: new Map(),
  };
  const made = { definition, elements: pick, constraints: [] };
  compiled.set('Element', made);
  return made;
}
