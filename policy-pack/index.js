// The pack is TypeScript; tsx runs it without a build.
require('tsx/cjs');
require('./pack.ts');
