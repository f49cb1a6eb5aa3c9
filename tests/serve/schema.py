"""Holds JSON against the schemas of openapi.json: what of JSON Schema they use, and no more."""

import re

KNOWN = {"$ref", "type", "properties", "required", "additionalProperties", "items", "enum", "anyOf", "minimum",
         "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "description"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_type(value, name):
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


class Schemas:
    def __init__(self, document):
        self.document = document

    def resolved(self, schema):
        name = schema.get("$ref", "").removeprefix("#/components/schemas/")
        return self.document["components"]["schemas"][name] if name else schema

    def faults(self, value, schema, where="$"):
        """What is wrong with the value, each fault with its place."""
        unknown = set(schema) - KNOWN
        assert not unknown, f"the validator does not know {unknown}"
        if "$ref" in schema:
            yield from self.faults(value, self.resolved(schema), where)
            return
        if "anyOf" in schema:
            if all(list(self.faults(value, one, where)) for one in schema["anyOf"]):
                yield f"{where}: {value!r:.80} fits none of anyOf"
        types = schema.get("type")
        if types is not None:
            types = types if isinstance(types, list) else [types]
            if not any(is_type(value, one) for one in types):
                yield f"{where}: {value!r:.80} is no {types}"
                return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r:.80} is not one of {schema['enum']}"
        if isinstance(value, dict):
            yield from self.faults_of_object(value, schema, where)
        elif isinstance(value, list):
            if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 10**9):
                yield f"{where}: {len(value)} elements"
            for i, one in enumerate(value):
                if "items" in schema:
                    yield from self.faults(one, schema["items"], f"{where}[{i}]")
        elif isinstance(value, str):
            if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**9):
                yield f"{where}: a text of {len(value)}"
            if "pattern" in schema and not re.search(schema["pattern"], value):
                yield f"{where}: {value!r:.80} does not fit {schema['pattern']}"
        elif is_type(value, "number"):
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                yield f"{where}: {value} is out of range"

    def faults_of_object(self, value, schema, where):
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}: no {name}"
        extra = schema.get("additionalProperties", True)
        for name, member in value.items():
            if name in properties:
                yield from self.faults(member, properties[name], f"{where}.{name}")
            elif extra is False:
                yield f"{where}: {name} is not in the schema"
            elif isinstance(extra, dict):
                yield from self.faults(member, extra, f"{where}.{name}")

    def answer_schema(self, method, path, status):
        """The media types and schemas of an answer; path as in the document, e.g. /v1/runs/{name}."""
        responses = self.document["paths"][path][method.lower()]["responses"]
        return responses.get(str(status), responses["default"]).get("content", {})
