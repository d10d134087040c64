/** Examples of the API's description. They tell one story, of an H100; its figures are made up. */
import './access.js';
import './fleet.js';
import './campaigns.js';
import './models.js';
import './data.js';
import './kernel-maps.js';
import './work.js';

export { EXAMPLES, type Example } from './example.js';
