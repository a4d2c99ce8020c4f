/** ONNX models as bytes: the few messages we write, with their field numbers (onnx.proto3, IR version 10). */
import { Writer } from 'protobufjs/minimal.js';
import type { DType, Shape } from '../../programs/ops.ts';

const FIELD = {
  model: { irVersion: 1, producer: 2, graph: 7, opset: 8 },
  opset: { domain: 1, version: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12 },
  node: { input: 1, output: 2, operator: 4, attribute: 5, domain: 7 },
  attribute: { name: 1, float: 2, integer: 3, string: 4, integers: 8, type: 20 },
  tensor: { dims: 1, type: 2, name: 8, raw: 9, external: 13, location: 14 },
  entry: { key: 1, value: 2 },
  value: { name: 1, type: 2 },
  type: { tensor: 1 },
  tensorType: { element: 1, shape: 2 },
  shape: { dimension: 1 },
  dimension: { size: 1, name: 2 },
} as const;
const ATTRIBUTE_TYPE = { float: 1, integer: 2, string: 3, integers: 7 } as const;
const EXTERNAL = 1;
export const ELEMENT: { readonly [T in DType | 'i64' | 'f16' | 'bf16']: number } = {
  f32: 1,
  f16: 10,
  bf16: 16,
  u8: 2,
  i8: 3,
  i32: 6,
  i64: 7,
  bool: 9,
};

/** A float is told from an integer by its wrapper: ONNX types attributes. */
export type OnnxAttribute = { readonly float: number } | number | string | readonly number[];

export interface OnnxNode {
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}
export interface OnnxInitializer {
  readonly name: string;
  readonly dtype: DType | 'i64';
  readonly shape: Shape;
  /** Bytes, little endian; `external` names the file they lie in instead, from `offset` (default 0) on. */
  readonly data:
    | { readonly bytes: Uint8Array }
    | { readonly external: string; readonly length: number; readonly offset?: number };
}
/** Numbers in another file, which the engine maps: the default of an input that nobody feeds. */
export interface MappedInitializer {
  readonly name: string;
  readonly dtype: 'f32' | 'f16' | 'bf16';
  readonly shape: Shape;
  /** Relative to the folder that the session is told. */
  readonly file: string;
  /** Bytes. */
  readonly offset: number;
  readonly length: number;
}
export interface OnnxValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}
/** A value with words for sizes that are only known at a run. */
export interface OpenValueInfo {
  readonly name: string;
  readonly dtype: keyof typeof ELEMENT;
  readonly shape: readonly (number | string)[];
}
export interface OnnxModel<Value extends OpenValueInfo = OnnxValueInfo> {
  readonly name: string;
  readonly opsets: Readonly<Record<string, number>>;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  readonly mapped?: readonly MappedInitializer[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

const VARINT = 0;
const FIXED32 = 5;
const BYTES = 2;
const tag = (writer: Writer, field: number, wire: number) => writer.uint32((field << 3) | wire);
const integer = (writer: Writer, field: number, value: number) => tag(writer, field, VARINT).int64(value);
const text = (writer: Writer, field: number, value: string) => tag(writer, field, BYTES).string(value);
function message(writer: Writer, field: number, write: (writer: Writer) => void): void {
  tag(writer, field, BYTES).fork();
  write(writer);
  writer.ldelim();
}

function writeAttribute(writer: Writer, name: string, value: OnnxAttribute): void {
  const at = FIELD.attribute;
  text(writer, at.name, name);
  if (typeof value === 'number') {
    integer(writer, at.integer, value);
    integer(writer, at.type, ATTRIBUTE_TYPE.integer);
  } else if (typeof value === 'string') {
    tag(writer, at.string, BYTES).bytes(new TextEncoder().encode(value));
    integer(writer, at.type, ATTRIBUTE_TYPE.string);
  } else if ('float' in value) {
    tag(writer, at.float, FIXED32).float(value.float);
    integer(writer, at.type, ATTRIBUTE_TYPE.float);
  } else {
    for (const item of value) integer(writer, at.integers, item);
    integer(writer, at.type, ATTRIBUTE_TYPE.integers);
  }
}

function writeNode(writer: Writer, node: OnnxNode): void {
  const at = FIELD.node;
  for (const name of node.inputs) text(writer, at.input, name);
  for (const name of node.outputs) text(writer, at.output, name);
  text(writer, at.operator, node.operator);
  for (const [name, value] of Object.entries(node.attributes))
    message(writer, at.attribute, (w) => writeAttribute(w, name, value));
  if (node.domain !== '') text(writer, at.domain, node.domain);
}

function writeTensorHead(
  writer: Writer,
  { name, dtype, shape }: Pick<MappedInitializer | OnnxInitializer, 'name' | 'dtype' | 'shape'>,
): void {
  const at = FIELD.tensor;
  for (const n of shape) integer(writer, at.dims, n);
  integer(writer, at.type, ELEMENT[dtype]);
  text(writer, at.name, name);
}

function writeInitializer(writer: Writer, initializer: OnnxInitializer): void {
  const { data } = initializer;
  writeTensorHead(writer, initializer);
  if ('bytes' in data) tag(writer, FIELD.tensor.raw, BYTES).bytes(data.bytes);
  else writeExternal(writer, data.external, data.offset ?? 0, data.length);
}

function writeExternal(writer: Writer, location: string, offset: number, length: number): void {
  const at = FIELD.tensor;
  for (const [key, value] of [
    ['location', location],
    ['offset', String(offset)],
    ['length', String(length)],
  ] as const)
    message(writer, at.external, (w) => {
      text(w, FIELD.entry.key, key);
      text(w, FIELD.entry.value, value);
    });
  integer(writer, at.location, EXTERNAL);
}

function writeValueInfo(writer: Writer, { name, dtype, shape }: OpenValueInfo): void {
  text(writer, FIELD.value.name, name);
  message(writer, FIELD.value.type, (type) =>
    message(type, FIELD.type.tensor, (tensor) => {
      integer(tensor, FIELD.tensorType.element, ELEMENT[dtype]);
      message(tensor, FIELD.tensorType.shape, (dimensions) => {
        for (const n of shape)
          message(dimensions, FIELD.shape.dimension, (w) =>
            typeof n === 'number' ? integer(w, FIELD.dimension.size, n) : text(w, FIELD.dimension.name, n),
          );
      });
    }),
  );
}

/** The bytes of a `.onnx` file. */
export function encodeModel(model: OnnxModel<OpenValueInfo>): Uint8Array {
  const writer = Writer.create();
  integer(writer, FIELD.model.irVersion, 10);
  text(writer, FIELD.model.producer, 'ftc');
  message(writer, FIELD.model.graph, (graph) => {
    for (const node of model.nodes) message(graph, FIELD.graph.node, (w) => writeNode(w, node));
    text(graph, FIELD.graph.name, model.name);
    for (const weight of model.initializers)
      message(graph, FIELD.graph.initializer, (w) => writeInitializer(w, weight));
    for (const weight of model.mapped ?? []) {
      message(graph, FIELD.graph.initializer, (w) => {
        writeTensorHead(w, weight);
        writeExternal(w, weight.file, weight.offset, weight.length);
      });
      message(graph, FIELD.graph.input, (w) => writeValueInfo(w, weight));
    }
    for (const value of model.inputs) message(graph, FIELD.graph.input, (w) => writeValueInfo(w, value));
    for (const value of model.outputs) message(graph, FIELD.graph.output, (w) => writeValueInfo(w, value));
  });
  for (const [domain, version] of Object.entries(model.opsets))
    message(writer, FIELD.model.opset, (w) => {
      text(w, FIELD.opset.domain, domain);
      integer(w, FIELD.opset.version, version);
    });
  return writer.finish();
}
