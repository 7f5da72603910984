import { PolicyPack } from '@pulumi/policy';
import { policies } from './policies';

new PolicyPack('worker-pools', { enforcementLevel: 'mandatory', policies });
