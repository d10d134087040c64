import { AuditEntrySchema, type PageQuery, PageQuerySchema, pageOf } from '@alphaflops/contracts';
import { AllowAccess, Answer, ApiTags } from '@alphaflops/http';
import { AuditStore } from '@alphaflops/store';
import { Controller, Get, Query } from '@nestjs/common';

@ApiTags('operations')
@Controller('v1/audit')
export class AuditController {
  constructor(private readonly audit: AuditStore) {}

  @Get()
  @AllowAccess('admin')
  @Answer(200, pageOf(AuditEntrySchema), 'Who did what, newest first')
  list(@Query({ schema: PageQuerySchema }) query: PageQuery) {
    return this.audit.list(query);
  }
}
