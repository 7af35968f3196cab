/** What stands for the repository on GitHub until `npm run set-repository -- owner/name` fills it in. */
export const PLACEHOLDER = ['OWNER', 'nestjs-thorn'].join('/');
