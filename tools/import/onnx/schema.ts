// The part of ONNX's protobuf schema that the importer reads, as field names, numbers and types (onnx.proto of the
// format's specification; field numbers never change). Invariant: fields that are left out are skipped by the reader.

type Field = readonly [name: string, type: string, id: number, rule?: "repeated"];

const MESSAGES: Readonly<Record<string, readonly Field[]>> = {
  ModelProto: [
    ["irVersion", "int64", 1],
    ["producerName", "string", 2],
    ["graph", "GraphProto", 7],
    ["opsetImport", "OperatorSetIdProto", 8, "repeated"],
    ["functions", "FunctionProto", 25, "repeated"],
  ],
  OperatorSetIdProto: [
    ["domain", "string", 1],
    ["version", "int64", 2],
  ],
  FunctionProto: [
    ["name", "string", 1],
    ["domain", "string", 10],
  ],
  GraphProto: [
    ["node", "NodeProto", 1, "repeated"],
    ["name", "string", 2],
    ["initializer", "TensorProto", 5, "repeated"],
    ["input", "ValueInfoProto", 11, "repeated"],
    ["output", "ValueInfoProto", 12, "repeated"],
    ["sparseInitializer", "SparseTensorProto", 15, "repeated"],
  ],
  SparseTensorProto: [["values", "TensorProto", 1]],
  NodeProto: [
    ["input", "string", 1, "repeated"],
    ["output", "string", 2, "repeated"],
    ["name", "string", 3],
    ["opType", "string", 4],
    ["attribute", "AttributeProto", 5, "repeated"],
    ["domain", "string", 7],
  ],
  AttributeProto: [
    ["name", "string", 1],
    ["f", "float", 2],
    ["i", "int64", 3],
    ["s", "bytes", 4],
    ["t", "TensorProto", 5],
    ["g", "GraphProto", 6],
    ["floats", "float", 7, "repeated"],
    ["ints", "int64", 8, "repeated"],
    ["strings", "bytes", 9, "repeated"],
    ["type", "int32", 20],
  ],
  ValueInfoProto: [
    ["name", "string", 1],
    ["type", "TypeProto", 2],
  ],
  TypeProto: [["tensorType", "TensorTypeProto", 1]],
  TensorTypeProto: [
    ["elemType", "int32", 1],
    ["shape", "TensorShapeProto", 2],
  ],
  TensorShapeProto: [["dim", "DimensionProto", 1, "repeated"]],
  DimensionProto: [
    ["dimValue", "int64", 1],
    ["dimParam", "string", 2],
  ],
  TensorProto: [
    ["dims", "int64", 1, "repeated"],
    ["dataType", "int32", 2],
    ["floatData", "float", 4, "repeated"],
    ["int32Data", "int32", 5, "repeated"],
    ["stringData", "bytes", 6, "repeated"],
    ["int64Data", "int64", 7, "repeated"],
    ["name", "string", 8],
    ["rawData", "bytes", 9],
    ["doubleData", "double", 10, "repeated"],
    ["uint64Data", "uint64", 11, "repeated"],
    ["externalData", "StringStringEntryProto", 13, "repeated"],
    ["dataLocation", "int32", 14],
  ],
  StringStringEntryProto: [
    ["key", "string", 1],
    ["value", "string", 2],
  ],
};

/** For protobufjs's `Root.fromJSON`. */
export const SCHEMA = {
  nested: Object.fromEntries(
    Object.entries(MESSAGES).map(([name, fields]) => [
      name,
      {
        fields: Object.fromEntries(
          fields.map(([field, type, id, rule]) => [field, { type, id, ...(rule && { rule }) }]),
        ),
      },
    ]),
  ),
};
