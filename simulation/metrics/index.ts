export { type Interval, pairedRatio } from './bootstrap';
export { elasticity, type Elasticity } from './elasticity';
export { geometricMean, mean, quantile } from './quantile';
