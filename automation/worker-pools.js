#!/usr/bin/env node
// The command line is TypeScript; tsx runs it without a build.
require('tsx/cjs');
require('./main.ts');
