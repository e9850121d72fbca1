import { render } from 'preact';
import { configOf } from './model/config.ts';
import { PageModel } from './model/page-model.ts';
import { App } from './views/app.tsx';

const root = document.getElementById('page');
if (root === null) throw new Error('the page has no place to be drawn in');
root.replaceChildren();
render(<App model={new PageModel(configOf(document))} />, root);
