/** Bundles the page (`visualizations/page`) into one file that asks for nothing: `dist/page/index.html`. */
import { build } from 'esbuild';
import { mkdir, readFile, writeFile } from 'node:fs/promises';

const SOURCE = 'visualizations/page';
const TARGET = ['chrome115', 'firefox115', 'safari16.4'];

const bundled = async (entry: string): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [`${SOURCE}/${entry}`],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: TARGET,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    // No banner of a dependency is worth its bytes here; licences are those of package-lock.json.
    legalComments: 'none',
    logLevel: 'warning',
  });
  return outputFiles.map(({ text }) => text.trim()).join('\n');
};

const [template, style, script] = await Promise.all([
  readFile(`${SOURCE}/index.html`, 'utf8'),
  bundled('style.css'),
  bundled('main.tsx'),
]);
const html = template
  .replace('<!--page-style-->', () => `<style>${style}</style>`)
  .replace('<!--page-script-->', () => `<script>${script}</script>`);
await mkdir('dist/page', { recursive: true });
await writeFile('dist/page/index.html', html);
