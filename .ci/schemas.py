"""Makes JSON schemas for kubeconform, one for each kind. In them, unknown fields are errors.

schemas.py OPENAPI DIRECTORY DEFINITION...: of the API server's OpenAPI document, and of files with
CustomResourceDefinitions. Called by `.ci/manifests`.
"""

import json
import pathlib
import sys

import yaml

# What OpenAPI has as a string may be a number too.
NUMBERS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "number",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "integer",
}
# What every object has, whether its definition says so or not.
META = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {
        "$ref": "../definitions.json#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    },
}


def strict(schema):
    """The schema, in which an object has no properties but those that it names."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    is_open = "x-kubernetes-preserve-unknown-fields" in made
    if isinstance(made.get("properties"), dict) and not is_open:
        made.setdefault("additionalProperties", False)
    if made.get("x-kubernetes-int-or-string") is True:
        made.pop("type", None)
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return made


def write(directory, group, version, kind, schema):
    path = directory / (group or version) / f"{kind.lower()}_{version}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema))


def main():
    openapi, directory, *files = map(pathlib.Path, sys.argv[1:])
    definitions = strict(json.loads(openapi.read_text())["definitions"])
    for name, number in NUMBERS.items():
        definitions[name] = {"type": ["string", number]}
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", []):
            schema = {"$ref": f"../definitions.json#/definitions/{name}"}
            write(directory, kind["group"], kind["version"], kind["kind"], schema)
    (directory / "definitions.json").write_text(json.dumps({"definitions": definitions}))
    for file in files:
        for definition in filter(None, yaml.safe_load_all(file.read_text())):
            spec = definition["spec"]
            for version in spec["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                schema["properties"] |= META
                write(directory, spec["group"], version["name"], spec["names"]["kind"], schema)


main()
