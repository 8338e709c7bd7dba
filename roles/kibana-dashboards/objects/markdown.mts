import { visualization, type SavedObject } from './saved-object.mts';

export const markdown = (id: string, title: string, text: string): SavedObject<'visualization'> =>
  visualization({ id, title, type: 'markdown', params: { fontSize: 12, openLinksInNewTab: false, markdown: text } });
