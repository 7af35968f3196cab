import { beforeEach } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** The name of the vitest project, for tools/test-totals.mjs: the JSON report does not say it. */
    project?: string;
  }
}

beforeEach(({ task }) => {
  const { projectName } = task.file;
  if (projectName !== undefined) task.meta.project = projectName;
});
