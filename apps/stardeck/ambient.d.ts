/// <reference types="next" />
// Next's own next-env.d.ts names one build's folder; several builds live side by side here.
declare module "*.css";
