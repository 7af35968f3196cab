import { readFileSync } from 'node:fs';

/** "owner/name", or the URL of a repository on GitHub as browsers, npm and git write it. */
const FORMS =
  /^(?:(?:git\+)?(?:https:\/\/|ssh:\/\/git@)github\.com\/|git@github\.com:)?([\w-]+\/[\w.-]+?)(?:\.git)?\/?$/;

/**
 * The name of a repository on GitHub, `owner/name`, or null for what is not one.
 *
 * @param {string} text
 */
export function repositoryName(text) {
  const [, name] = FORMS.exec(text) ?? [];
  return name === undefined || /\/(?:\.+|\.git)$/.test(name) ? null : name;
}

/**
 * Where the repository is, or null as long as nobody has said so: `repository` in package.json, the only place that
 * names it. npm makes `homepage` and `bugs` of it.
 *
 * @param {{ repository?: string | { url?: string } }} manifest
 */
export function repositoryUrl({ repository }) {
  const url = typeof repository === 'string' ? repository : repository?.url;
  const name = url === undefined ? null : repositoryName(url);
  return name === null ? null : `https://github.com/${name}`;
}

/**
 * @typedef {{ name: string, version: string, description: string, license: string, repository?: { url?: string },
 *   dependencies: Record<string, string> }} Manifest
 */

/** @returns {Manifest} */
export function readManifest() {
  return JSON.parse(readFileSync('package.json', 'utf8'));
}
