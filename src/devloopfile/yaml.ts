// The parts of the yaml package that read manifests, under their own names: it is no ES module, and bundled, importing it when it is
// first needed would give its default export alone.
export { isMap, isSeq, LineCounter, parseAllDocuments } from 'yaml'
